namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>What was asked for has been answered, and nothing is started.</summary>
/// <param name="answer">What goes to standard output, whole lines.</param>
/// <param name="exitCode">The process's exit code.</param>
internal sealed class AnswerException(string answer, int exitCode) : Exception(answer)
{
    /// <summary>The process's exit code.</summary>
    public int ExitCode { get; } = exitCode;
}
