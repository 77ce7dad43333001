using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>One difference between a compose file and the model.</summary>
/// <param name="Service">The service, or the resource that is no service.</param>
/// <param name="Aspect">What differs.</param>
/// <param name="Subject">Which of several.</param>
/// <param name="Problem">What the file says and what the model does.</param>
/// <param name="At">Where the file says it; <see langword="null"/> for what only the model has.</param>
/// <param name="Reason">Why, if it is on purpose.</param>
internal sealed record Difference(string Service, DriftAspect Aspect, string Subject, string Problem, SourceLine? At, string? Reason = null)
{
    /// <summary>One that a resource may know a reason for; that goes before a rule for all, because it knows more.</summary>
    public static Difference Of(
        IResource resource, string service, DriftAspect aspect, string subject, string problem, SourceLine? at, string? reason = null) =>
        new(service, aspect, subject, problem, at,
            resource.Annotations.OfType<IntendedDifference>().FirstOrDefault(intended => intended.Covers(aspect, subject))?.Reason
                ?? reason);

    public override string ToString() => $"{(At is { } line ? $"{line}: " : "")}{Service}: {Problem}";
}

/// <summary>What a comparison of a compose file with the model has found.</summary>
/// <param name="File">The compose file.</param>
/// <param name="Differences">Every difference.</param>
/// <param name="Findings">What of the file could not be read or taken over; each names its own reason.</param>
internal sealed record DriftReport(ComposeFile File, IReadOnlyList<Difference> Differences, IReadOnlyList<ComposeFinding> Findings)
{
    /// <summary>What the checkout starts the site with; <see langword="null"/> if the model has nothing to do with that.</summary>
    public StartScript? Script { get; init; }

    /// <summary>Differences that nobody meant.</summary>
    public IEnumerable<Difference> Unexplained => Differences.Where(difference => difference.Reason is null);

    /// <summary>Differences that are on purpose.</summary>
    public IEnumerable<Difference> OnPurpose => Differences.Where(difference => difference.Reason is not null);

    /// <summary>The report for a person: what needs attention first, then each reason with what it explains.</summary>
    public string Render()
    {
        List<string> lines =
        [
            $"{File.Path} and the model: {Count(File.Services.Count, "service")} compared, {Unexplained.Count()} unexplained, "
            + $"{OnPurpose.Count()} on purpose, {Findings.Count} not taken over",
            .. Section("Unexplained", Unexplained),
            .. Section("Not taken over", Findings),
            .. OnPurpose.GroupBy(difference => difference.Reason!).SelectMany(reason => Section($"On purpose: {reason.Key}", reason)),
            .. Section("The site's start script", [.. new[] { Script?.Problem }.OfType<string>(), .. Script?.Lines ?? []]),
        ];
        return string.Concat(lines.Select(line => line + Environment.NewLine));
    }

    // What stands in the same file again and again is told by its line alone.
    private IEnumerable<string> Section(string title, IEnumerable<object> items) =>
        items.Any() ? ["", title, .. items.Select(item => $"  {item}".Replace($"{File.Path}:", "line ", StringComparison.Ordinal))] : [];

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
