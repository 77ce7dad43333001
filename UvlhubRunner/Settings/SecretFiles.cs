using System.Collections;

namespace UvlhubAspire.Runner.Settings;

/// <summary>
/// Secrets that a swarm mounts, <c>NAME_FILE=/run/secrets/…</c>. uvlhub_start.py makes variables of them for what a container is started
/// with; a command that is run beside that has the files alone. Flask and what else the runner starts read variables too.
/// </summary>
internal static class SecretFiles
{
    private const string Ending = "_FILE";
    private const string Folder = "/run/secrets/";

    /// <summary>Sets a variable for each.</summary>
    public static void Read()
    {
        foreach (var (key, value) in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(entry => ((string)entry.Key, (string?)entry.Value)).ToList())
        {
            if (key.EndsWith(Ending, StringComparison.Ordinal) && value?.StartsWith(Folder, StringComparison.Ordinal) == true)
            {
                Environment.SetEnvironmentVariable(key[..^Ending.Length], File.ReadAllText(value).TrimEnd('\n'));
            }
        }
    }
}
