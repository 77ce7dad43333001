namespace UvlhubAspire.Runner.Revisions;

/// <summary>Python source that Python would not read either, or that cannot be read without running it.</summary>
/// <param name="line">The line, counted from 1.</param>
/// <param name="reason">What is wrong with it, in words that fit after a file name and line.</param>
internal sealed class PythonSyntaxException(int line, string reason) : Exception(reason)
{
    /// <summary>The line, counted from 1.</summary>
    public int Line { get; } = line;
}
