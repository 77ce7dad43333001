namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>What was asked for has been answered, and nothing is started.</summary>
internal sealed class AnswerException(string answer, int exitCode) : Exception(answer)
{
    /// <summary>The process's exit code.</summary>
    public int ExitCode { get; } = exitCode;
}
