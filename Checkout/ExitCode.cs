namespace UvlhubAspire.Checkout;

/// <summary>What UvlhubRunner's exit code says; documented in docs/migrations.md.</summary>
public enum ExitCode
{
    /// <summary>Done, or nothing was to do.</summary>
    Done = 0,

    /// <summary>An error that the runner does not know; its log has the stack trace.</summary>
    Unexpected = 1,

    /// <summary>A mistake in a setting, in the command line or in the checkout's files.</summary>
    Mistake = 2,

    /// <summary>The state of the database or of the checkout needs a decision; nothing was changed.</summary>
    Refused = 3,

    /// <summary>MariaDB, the engine or the toolbox did not answer in time, or refuses the credentials.</summary>
    Unreachable = 4,

    /// <summary>The upgrade or the seeding failed; the database is as it was before.</summary>
    Failed = 5,

    /// <summary>The upgrade failed and the database could not be put back; the message names the snapshot.</summary>
    NotRestored = 6,

    /// <summary>Ended from outside, by Ctrl+C or a signal.</summary>
    Interrupted = 130,
}
