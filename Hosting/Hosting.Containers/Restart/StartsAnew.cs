namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Says when a container that has died is of no more use: another one is made in its place, as Start in the dashboard does, so that
/// everything that is done before a start is done again.
/// </summary>
/// <param name="When">Whether it is so now.</param>
public sealed record StartsAnew(Func<CancellationToken, Task<bool>> When) : IResourceAnnotation;
