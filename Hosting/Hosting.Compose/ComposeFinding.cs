using System.Collections.ObjectModel;

namespace UvlhubAspire.Hosting.Compose;

/// <summary>
/// Something in a compose file that could not be read or taken over: it is named to the user and never dropped in
/// silence.
/// </summary>
/// <param name="At">Where it stands.</param>
/// <param name="Service">The service that it belongs to; <see langword="null"/> for the rest of the file.</param>
/// <param name="Subject">The key, such as <c>ports</c>.</param>
/// <param name="Problem">What is wrong with it, and what happens instead.</param>
/// <param name="IsFatal">Whether the service makes no sense without it, so that it is not run at all.</param>
public sealed record ComposeFinding(SourceLine At, string? Service, string Subject, string Problem, bool IsFatal = false)
{
    /// <summary>Whether the service is left out because of it.</summary>
    public bool LeavesServiceOut { get; init; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{At}: {(Service is null ? "" : $"{Service}: ")}{Subject}: {Problem}{(LeavesServiceOut ? ". The service is not run" : "")}";
}

/// <summary>Everything of one compose file that could not be read or taken over.</summary>
/// <param name="runsAnyway">Whether a service runs whatever the file says of it, because the model has it by itself.</param>
public sealed class ComposeFindings(Predicate<string> runsAnyway) : Collection<ComposeFinding>
{
    /// <inheritdoc/>
    protected override void InsertItem(int index, ComposeFinding item) => base.InsertItem(
        index, item with { LeavesServiceOut = item is { IsFatal: true, Service: { } service } && !runsAnyway(service) });
}
