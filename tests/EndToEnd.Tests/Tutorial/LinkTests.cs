using System.Text.RegularExpressions;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests.Tutorial;

/// <summary>Every link of the documentation that stays in the repository leads somewhere.</summary>
public sealed partial class LinkTests
{
    private static readonly string s_repository = Path.GetDirectoryName(RepositoryFolder.Images)!;

    public static TheoryData<string> Pages =>
    [
        .. Directory.EnumerateFiles(s_repository, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(s_repository, "docs"), "*.md", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(s_repository, file))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file_and_a_heading(string page)
    {
        var file = Path.Combine(s_repository, page);
        foreach (var target in LinkPattern().Matches(CodePattern().Replace(File.ReadAllText(file), ""))
            .Select(match => match.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal)))
        {
            var (path, heading) = target.Split('#') is [var first, var second] ? (first, second) : (target, null);
            var linked = path.Length == 0 ? file : Path.GetFullPath(path, Path.GetDirectoryName(file)!);
            Assert.True(Path.Exists(linked), $"{page}: the link {target} leads nowhere");
            Assert.True(heading is null || Headings(linked).Contains(heading), $"{page}: {path} has no heading #{heading}");
        }
    }

    // As the pages' readers on the web see them: lower case, no punctuation, dashes for spaces.
    private static IEnumerable<string> Headings(string file) => File.ReadLines(file)
        .Where(line => line.StartsWith('#'))
        .Select(line => NotInHeadingsPattern().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex LinkPattern();

    [GeneratedRegex(@"^```.*?^```|`[^`\n]*`", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CodePattern();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotInHeadingsPattern();
}
