namespace UvlhubAspire.Runner;

/// <summary>
/// The runner will not touch the database as things are. The message is complete as it stands: what is wrong and what to
/// do next; it is shown without a stack trace.
/// </summary>
internal sealed class MigrationRefusedException(string state, string problem, string remedy)
    : Exception(remedy.Length == 0 ? problem : $"{problem}{Environment.NewLine}{remedy}")
{
    /// <summary>The state that was found.</summary>
    public string State { get; } = state;

    /// <summary>What is wrong, and where.</summary>
    public string Problem { get; } = problem;

    /// <summary>What the user does next.</summary>
    public string Remedy { get; } = remedy;
}
