using k8s.Autorest;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>What a resource has logged.</summary>
internal static class ResourceLines
{
    /// <summary>All lines until now; none if the resource is just being started anew, and its log is gone.</summary>
    /// <param name="loggers">The logs of all resources.</param>
    /// <param name="resourceId">The resource's id, not its name.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<List<string>> ReadAsync(
        ResourceLoggerService loggers, string resourceId, CancellationToken cancellationToken)
    {
        List<string> lines = [];
        try
        {
            await foreach (var batch in loggers.GetAllAsync(resourceId).WithCancellation(cancellationToken))
            {
                lines.AddRange(batch.Select(line => line.Content));
            }
        }
        catch (HttpOperationException)
        {
            // What is thrown at an event of Aspire's ends its watch over every program: none of them would be seen to start
            // or to end any more.
        }

        return lines;
    }
}
