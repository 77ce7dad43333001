namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Says that a container which dies is started again. Neither Aspire nor its orchestrator does that
/// (https://github.com/microsoft/aspire/issues/5003). Not the engine's own <c>--restart</c>: <c>always</c> goes on when nobody
/// is left to watch, after a killed AppHost or when the machine was started anew; <c>on-failure:N</c> counts over a
/// container's whole life, leaves one down that ended without an error, and all of them when the engine itself had ended.
/// </summary>
public sealed record RestartPolicy : IResourceAnnotation
{
    /// <summary>How often a container is started again without having run for <see cref="StableAfter"/> in between. Default: 5.</summary>
    public int Limit { get; init; } = 5;

    /// <summary>Whether a container that ends with exit code 0 has done its work. Default: no; a service has no end.</summary>
    public bool OnlyAfterFailure { get; init; }

    /// <summary>
    /// The pause before the second restart in a row; each further one doubles it. The first comes at once, because most
    /// deaths are no loop, and a site waits behind it. Default: half a second.
    /// </summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest pause. Default: 30 seconds.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A container that has run this long has recovered: its count starts anew. Default: ten minutes, which is longer than
    /// those take that wait for something and then give up.
    /// </summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What happens after a death.</summary>
    /// <param name="death">The death.</param>
    /// <param name="restarts">The restarts in a row until now.</param>
    public RestartDecision Decide(ContainerDeath death, int restarts)
    {
        var inARow = death.Ran >= StableAfter ? 0 : restarts;
        return death switch
        {
            { StoppedByHand: true } => RestartDecision.StoppedByHand,
            { ExitCode: 0 } when OnlyAfterFailure => RestartDecision.Finished,
            _ when inARow >= Limit => new RestartDecision(RestartStep.GiveUp, inARow, TimeSpan.Zero),
            _ => new RestartDecision(RestartStep.Restart, inARow + 1, Delay(inARow)),
        };
    }

    private TimeSpan Delay(int restarts)
    {
        var delay = restarts == 0 ? TimeSpan.Zero : FirstDelay * Math.Pow(2, restarts - 1);
        return delay < LongestDelay ? delay : LongestDelay;
    }
}

/// <summary>What is done after a container's death.</summary>
public enum RestartStep
{
    /// <summary>Nothing: a person, or the dashboard, has stopped it.</summary>
    StayStopped,

    /// <summary>Nothing: it has done its work.</summary>
    Finished,

    /// <summary>Start it again.</summary>
    Restart,

    /// <summary>Nothing any more: it dies again and again.</summary>
    GiveUp,
}

/// <summary>What is done after a container's death.</summary>
/// <param name="Step">The step.</param>
/// <param name="Restarts">The restarts in a row, this one included.</param>
/// <param name="Delay">The pause before it.</param>
public sealed record RestartDecision(RestartStep Step, int Restarts, TimeSpan Delay)
{
    /// <summary>Somebody stopped it: it stays so.</summary>
    public static RestartDecision StoppedByHand { get; } = new(RestartStep.StayStopped, 0, TimeSpan.Zero);

    /// <summary>It has done its work.</summary>
    public static RestartDecision Finished { get; } = new(RestartStep.Finished, 0, TimeSpan.Zero);
}
