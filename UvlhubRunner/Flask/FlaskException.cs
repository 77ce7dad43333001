namespace UvlhubAspire.Runner.Flask;

/// <summary>A command of Flask or rosemary failed.</summary>
internal sealed class FlaskException(string cause, bool isTransient, string? revision = null) : Exception(cause)
{
    /// <summary>Whether the cause passes by itself: the database went away or was busy, the engine did not answer.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>The revision that Alembic was running; <see langword="null"/> if it had begun none.</summary>
    public string? Revision { get; } = revision;
}
