namespace UvlhubAspire.Engine;

/// <summary>
/// A mistake in the checkout or in a setting that its owner can put right. The message is complete as it stands:
/// what is wrong, where, and what to do next; it is shown without a stack trace.
/// </summary>
/// <param name="problem">What is wrong and what to do about it.</param>
/// <param name="file">The file that holds the mistake, if it is in a file.</param>
/// <param name="line">The line in that file, counted from 1.</param>
public sealed class UserErrorException(string problem, string? file = null, int? line = null)
    : Exception(Render(problem, file, line))
{
    /// <summary>The file that holds the mistake; <see langword="null"/> when it is not in a file.</summary>
    public string? File { get; } = file;

    /// <summary>The line in <see cref="File"/>, counted from 1.</summary>
    public int? Line { get; } = line;

    private static string Render(string problem, string? file, int? line) => (file, line) switch
    {
        (null, _) => problem,
        (_, null) => $"{file}: {problem}",
        _ => $"{file}:{line}: {problem}",
    };
}
