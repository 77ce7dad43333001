namespace UvlhubAspire.TestSupport;

/// <summary>One write through the site, and how it ended.</summary>
/// <param name="Value">
/// What identifies it: a text that no other write has, in the account's e-mail address or the model's title. Not the row's
/// number: numbers come back after a restore.
/// </param>
/// <param name="Kind">What was written.</param>
/// <param name="Due">When it was to be sent.</param>
/// <param name="Latency">From then until its answer, or until it was given up.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">Why it was not acknowledged.</param>
public sealed record LedgerWrite(string Value, LedgerKind Kind, DateTimeOffset Due, TimeSpan Latency, LedgerOutcome Outcome, string Reason)
{
    /// <summary>When it was answered, or given up.</summary>
    public DateTimeOffset Ended => Due + Latency;

    /// <summary>Whether the site said anything at all.</summary>
    public bool IsAnswered => Outcome is LedgerOutcome.Acknowledged or LedgerOutcome.Refused or LedgerOutcome.ServerError;

    /// <inheritdoc/>
    public override string ToString() => Outcome == LedgerOutcome.Acknowledged
        ? $"{Kind} {Value}, acknowledged {Ended:yyyy-MM-dd HH:mm:ss.fff} UTC"
        : $"{Kind} {Value}, {Outcome} {Ended:yyyy-MM-dd HH:mm:ss.fff} UTC: {Reason}";
}

/// <summary>What a ledger writes.</summary>
public enum LedgerKind
{
    /// <summary>An account: a row of <c>user</c>.</summary>
    SignUp,

    /// <summary>A model: a row of <c>feature_model</c>.</summary>
    Upload,
}

/// <summary>How a write ended. All but the first are <i>unacknowledged</i>: its row may be there or not, and neither is a fault.</summary>
public enum LedgerOutcome
{
    /// <summary>The site answered as it does when it has written the row.</summary>
    Acknowledged,

    /// <summary>The site answered otherwise, but not with 5xx: the form again, the log-in page, 400.</summary>
    Refused,

    /// <summary>The site, or what stands before it, answered with 5xx.</summary>
    ServerError,

    /// <summary>There was no connection: nothing was sent.</summary>
    NoConnection,

    /// <summary>The connection broke before an answer, or none came in time: nobody knows whether it was written.</summary>
    NoAnswer,

    /// <summary>It was not sent, because as many as may be were under way already.</summary>
    NotSent,
}
