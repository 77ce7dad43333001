using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>The revisions of the checkout: a graph with one head, or what keeps them from being one.</summary>
internal sealed record CheckoutHistory
{
    private CheckoutHistory(RevisionGraph? graph, MigrationRefusedException? problem) => (Graph, Problem) = (graph, problem);

    /// <summary>The graph; it has exactly one head.</summary>
    public RevisionGraph? Graph { get; }

    public MigrationRefusedException? Problem { get; }

    /// <summary>Whether the checkout has no revision at all.</summary>
    public bool IsMissing => Problem?.State is RevisionGraph.NoFolder or RevisionGraph.NoRevisions;

    public static async Task<CheckoutHistory> ReadAsync(RevisionReader reader, CancellationToken cancellationToken)
    {
        try
        {
            var graph = await reader.ReadAsync(cancellationToken);
            _ = graph.Head;
            return new CheckoutHistory(graph, null);
        }
        catch (MigrationRefusedException problem)
        {
            return new CheckoutHistory(null, problem);
        }
    }
}
