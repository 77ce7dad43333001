using System.Text.RegularExpressions;

namespace UvlhubAspire.TestSupport;

/// <summary>A form of the site, which wants back the token that it gave out.</summary>
public static partial class CsrfForm
{
    /// <summary>The token in a page; <see langword="null"/> if there is none.</summary>
    public static string? Token(string page) => Field().Match(page) is { Success: true } found ? found.Groups[1].Value : null;

    [GeneratedRegex("name=\"csrf_token\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex Field();
}
