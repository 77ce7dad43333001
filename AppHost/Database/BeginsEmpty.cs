namespace UvlhubAspire.AppHost.Database;

/// <summary>Says of a database that is about to start whether it is probably empty.</summary>
/// <param name="IsExpected">Costs nothing, and may be wrong.</param>
internal sealed record BeginsEmpty(Func<bool> IsExpected) : IResourceAnnotation;
