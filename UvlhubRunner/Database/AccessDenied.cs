namespace UvlhubAspire.Runner.Database;

/// <summary>
/// Explains a refused login. Where MariaDB runs but refuses, its volume was nearly always created when the checkout's
/// <c>.env</c> had other credentials: the image takes them only on a new volume.
/// </summary>
internal static class AccessDenied
{
    // https://mariadb.com/docs/server/reference/error-codes: ER_SPECIFIC_ACCESS_DENIED_ERROR.
    private const int MissingPrivilege = 1227;

    /// <summary>Whether the server has let the user in, and does not let it do this.</summary>
    public static bool IsMissingRight(MySqlException exception) =>
        exception.ErrorCode is MySqlErrorCode.TableAccessDenied or MySqlErrorCode.DatabaseAccessDenied
            || (int)exception.ErrorCode == MissingPrivilege;

    /// <summary>What is wrong, and the two ways out.</summary>
    public static string Explain(RunnerSettings settings, string user, string passwordKey, string answer)
    {
        if (!settings.Checkout.Profile.HasDatabase)
        {
            return string.Join(
                Environment.NewLine,
                $"MariaDB at {settings.Address} refuses the user '{user}' ({answer}).",
                $"Have its owner let '{user}' in from this machine, or put the right password in the checkout's settings ({passwordKey}); "
                + "then start again. Nothing was changed.");
        }

        var environment = settings.Checkout.EnvironmentFile;
        var where = environment.LineOf(passwordKey) is { } line ? $"{environment.Path}:{line}" : environment.Path;
        return string.Join(
            Environment.NewLine,
            $"MariaDB runs but refuses the user '{user}' ({answer}).",
            $"Its volume was created with other credentials than {where} ({passwordKey}) has now; a volume keeps those it was created "
            + "with. Two ways out:",
            $"  1. Put the old values back in {environment.Path} and start again. Nothing is lost.",
            $"  2. Start with an empty database, giving up what is in this one: './run --stop', then '{settings.Engine.Executable} volume "
            + "rm' "
            + $"with the volume that the log of 'db' names, then './run'.");
    }
}
