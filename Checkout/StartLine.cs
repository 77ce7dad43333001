namespace UvlhubAspire.Checkout;

/// <summary>What becomes of a command of a start script.</summary>
public enum StartLineKind
{
    /// <summary>It sets something up in the shell, or only speaks: no step of its own.</summary>
    None,

    /// <summary>It waits for the database or asks it something: the migrator does.</summary>
    Waits,

    /// <summary>It migrates: the migrator does.</summary>
    Migrates,

    /// <summary>It seeds: the migrator does, once.</summary>
    Seeds,

    /// <summary>It installs what the Dockerfile has installed.</summary>
    Installs,

    /// <summary>It serves the site.</summary>
    Serves,

    /// <summary>It runs as it is, where the script has it.</summary>
    Own,

    /// <summary>It runs as it is, where the script has it: after the seeding of a new database, by the migrator.</summary>
    OwnSeeding,

    /// <summary>It does not run: whether it should cannot be told.</summary>
    Unsure,
}

/// <summary>A command of a checkout's start script.</summary>
/// <param name="File">The script.</param>
/// <param name="Line">Its line there, counted from 1.</param>
/// <param name="Text">The command, as far as it stands on that line.</param>
/// <param name="Kind">What becomes of it.</param>
public sealed record StartLine(string File, int Line, string Text, StartLineKind Kind)
{
    /// <inheritdoc/>
    public override string ToString() => $"{File}:{Line}: '{Text}' {Kind switch
    {
        StartLineKind.Waits => "is replaced: the migrator waits for MariaDB, and makes the databases",
        StartLineKind.Migrates => "is replaced by the migrator",
        StartLineKind.Seeds => "is replaced by the migrator, which seeds a new database",
        StartLineKind.Installs => "is left out: the Dockerfile has installed that",
        StartLineKind.Serves => "is replaced by the model's own command",
        StartLineKind.Own => "runs as it is",
        StartLineKind.OwnSeeding => "runs as it is, by the migrator, where it seeds a new database",
        _ => "does not run: it hangs on the state in which the database was before the migrator",
    }}";
}
