namespace UvlhubAspire.Hosting.Compose;

/// <summary>Where something stands in a file, for messages.</summary>
/// <param name="File">The file's path.</param>
/// <param name="Line">The line, counted from 1.</param>
public readonly record struct SourceLine(string File, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => $"{File}:{Line}";
}
