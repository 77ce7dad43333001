using System.Text;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>The template of the settings that a published file is filled with.</summary>
internal static class EnvironmentFile
{
    /// <summary>Writes it.</summary>
    /// <param name="introduction">What to do with it.</param>
    /// <param name="variables">Variables without a value.</param>
    /// <param name="settings">Variables with one, and what they are.</param>
    public static string Write(
        string introduction, IEnumerable<PublishedVariable> variables,
        IEnumerable<(string Name, string Value, string Description)> settings)
    {
        var text = new StringBuilder();
        foreach (var line in introduction.Split('\n'))
        {
            text.Append("# ").Append(line).Append('\n');
        }

        foreach (var variable in variables)
        {
            text.Append('\n').Append("# ").Append(variable.Description).Append('\n').Append(variable.Name).Append("=\n");
        }

        foreach (var (name, value, description) in settings)
        {
            text.Append('\n').Append("# ").Append(description).Append('\n').Append(name).Append('=').Append(value).Append('\n');
        }

        return text.ToString();
    }
}
