namespace UvlhubAspire.TestSupport;

/// <summary>Writes files of settings.</summary>
public static class DotEnv
{
    /// <summary>A value as a .env file takes it, whatever characters it has: between double quotes, as compose reads them.</summary>
    public static string Quote(string value) => $"\"{value
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("$", "\\$", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
