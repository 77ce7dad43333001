namespace UvlhubAspire.Runner;

/// <summary>
/// Something that was begun did not succeed. The message is complete as it stands: the cause, what state things are in,
/// and what to do next; it is shown without a stack trace.
/// </summary>
internal sealed class MigrationFailedException(ExitCode exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The exit code that tells a script what happened.</summary>
    public ExitCode ExitCode { get; } = exitCode;
}
