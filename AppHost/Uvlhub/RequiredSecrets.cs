namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// Looks, before a site that others use comes up, at the secrets in the checkout's file of settings. The template that
/// uvlhub ships has <c>&lt;CHANGE_THIS&gt;</c> in all of them, and compose starts with that as the password.
/// </summary>
internal static class RequiredSecrets
{
    private static readonly string[] s_required = [SecretKeys.RootPassword, SecretKeys.UserPassword];

    // Besides the secrets, what can be told without the file's owner.
    private static readonly string[] s_dispensable = ["MARIADB_USER", "MARIADB_DATABASE"];

    private static readonly string[] s_domains = ["DOMAIN", "SERVER_NAME"];

    private static readonly string[] s_exampleWords = ["example", "template", "sample", "dist"];

    private static readonly string[] s_server = [ExternalServer.HostKey, ExternalServer.PortKey];

    /// <summary>Checks the file, and takes out of the settings what is no value yet.</summary>
    /// <returns>The checkout with the settings that its containers get.</returns>
    /// <exception cref="UserErrorException">Something is missing, a placeholder, or known to everybody: each with key, file
    /// and line.</exception>
    public static UvlhubCheckout Settle(UvlhubCheckout checkout, UvlhubOptions options)
    {
        var file = checkout.EnvironmentFile;
        var generates = options.Secrets == SecretSource.Generated;
        var environment = new Dictionary<string, string>(file.Values, StringComparer.Ordinal);
        if (options.Domain is { Length: > 0 } domain)
        {
            environment["DOMAIN"] = domain;
        }

        var flaskEnvironment = file.Values.GetValueOrDefault("FLASK_ENV");
        if (flaskEnvironment is not null && flaskEnvironment != checkout.Profile.FlaskEnvironment)
        {
            throw new UserErrorException(
                $"FLASK_ENV is '{flaskEnvironment}', and {checkout.Profile.Name} is asked for. Give it a file of its own: "
                + $"copy {checkout.Profile.EnvironmentFiles[^1]} to {checkout.Profile.EnvironmentFiles[0]}, fill it in and keep it out of "
                + "git",
                file.Path, file.LineOf("FLASK_ENV"));
        }

        environment["FLASK_ENV"] = checkout.Profile.FlaskEnvironment!;
        foreach (var key in environment.Keys.Where(key => SecretKeys.IsForBackups(key, options.Backups.Repository)).ToList())
        {
            // Only what is deployed has backups.
            environment.Remove(key);
        }

        var examples = Examples(checkout.Path);
        List<string> problems = [];
        foreach (var (key, value) in environment.ToList())
        {
            if (SecretKeys.IsPlaceholder(value))
            {
                if (key == SecretKeys.WebhookToken && UvlhubOptions.Lists(options.IgnoredModules, "webhook"))
                {
                    // Nobody listens who could be asked with it.
                    environment.Remove(key);
                }
                else if (generates && CanBeMadeUp(key, checkout.Profile))
                {
                    environment.Remove(key);
                }
                else if (s_server.Contains(key) && (checkout.Profile.HasDatabase || options.Database.Host is { Length: > 0 }))
                {
                    // Where the server is, is said elsewhere.
                    environment.Remove(key);
                }
                else if (s_domains.Contains(key) && (generates || options.Domain is { Length: > 0 }))
                {
                    environment[key] = options.Domain ?? "localhost";
                }
                else
                {
                    problems.Add($"{file.Path}:{file.LineOf(key)}: {key} is still the placeholder {value}"
                        + (key == SecretKeys.RootPassword && !checkout.Profile.HasDatabase
                            ? " (take the line out if the server gives you one user with one database)"
                            : ""));
                }
            }
            else if (Weakness(key, value, examples) is { } weakness)
            {
                problems.Add($"{file.Path}:{file.LineOf(key)}: {key} {weakness}");
            }
        }

        if (!generates || !checkout.Profile.HasDatabase)
        {
            // A server elsewhere may give one user one database; whoever is said to look after it has a password.
            var hasOneAccount = !checkout.Profile.HasDatabase && string.IsNullOrEmpty(options.Database.Administrator);
            problems.AddRange(s_required
                .Where(key => string.IsNullOrEmpty(environment.GetValueOrDefault(key)) && !(hasOneAccount && key == SecretKeys.RootPassword))
                .Select(key => $"{file.Path}: {key} is missing, or empty"));
        }

        return problems.Count == 0
            ? checkout with { Environment = environment }
            : throw new UserErrorException(
                $"{checkout.Profile.Name} needs secrets of its "
                + $"own.{System.Environment.NewLine}{string.Join(System.Environment.NewLine, problems)}"
                + $"{System.Environment.NewLine}{Remedy(checkout)}{(checkout.Profile.HasDatabase ? ", or" : "; the passwords are those of the database's server. For the other secrets,")} "
                + $"set {UvlhubOptions.Section}:{nameof(UvlhubOptions.Secrets)}=generated: secrets that the file does not give are then "
                + "generated once and kept.");
    }

    /// <summary>Takes out what is no value yet and needs none; what is left open is asked for where the model is deployed.</summary>
    /// <returns>The checkout with the settings that are published.</returns>
    public static UvlhubCheckout LeaveOpen(UvlhubCheckout checkout, UvlhubOptions options) => checkout with
    {
        Environment = new Dictionary<string, string>(
            checkout.EnvironmentFile.Values.Where(
                variable => !(SecretKeys.IsPlaceholder(variable.Value) && s_dispensable.Contains(variable.Key))
                    && !SecretKeys.IsForBackups(variable.Key, options.Backups.Repository)), StringComparer.Ordinal)
        {
            ["FLASK_ENV"] = checkout.Profile.FlaskEnvironment!,
            ["DOMAIN"] = options.Domain is { Length: > 0 } domain
                ? domain
                : checkout.EnvironmentFile.Values.GetValueOrDefault("DOMAIN", "localhost"),
        },
    };

    /// <summary>Why a value is no secret, as the end of a sentence; <see langword="null"/> if it may be one.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">The value.</param>
    /// <param name="examples">What <see cref="Examples"/> has found.</param>
    public static string? Weakness(string key, string value, IEnumerable<DotEnvFile> examples) =>
        SecretKeys.IsSecret(key)
            && examples.FirstOrDefault(other => other.Values.GetValueOrDefault(key) == value && value.Length > 0) is { } example
                ? $"is the one of {Path.GetFileName(example.Path)}, which everybody knows"
        : key == SecretKeys.WebhookToken && value.Length is > 0 and < SecretKeys.ShortestWebhookToken
            ? $"has {value.Length} characters, and anybody may try to guess it; take at least {SecretKeys.ShortestWebhookToken}, such as "
                + "'openssl rand -hex 32' prints"
        : null;

    /// <summary>Whether a file of settings is one that the checkout's repository has for everybody, by its name.</summary>
    public static bool IsTemplate(string path) =>
        s_exampleWords.Any(word => Path.GetFileName(path).Contains(word, StringComparison.OrdinalIgnoreCase));

    // A server that is somebody else's has its users and passwords already.
    private static bool CanBeMadeUp(string key, EnvironmentProfile profile) =>
        (SecretKeys.IsSecret(key) || s_dispensable.Contains(key))
            && (profile.HasDatabase || !key.StartsWith("MARIADB_", StringComparison.Ordinal));

    private static string Remedy(UvlhubCheckout checkout) =>
        Path.GetFileName(checkout.EnvironmentFile.Path) == checkout.Profile.EnvironmentFiles[^1]
            ? "Copy this template to .env and put values there (and keep that file out of git)"
            : "Put values there";

    /// <summary>The templates of a checkout's settings: whichever a value comes from, it is in the repository.</summary>
    public static List<DotEnvFile> Examples(string folder) =>
    [
        .. from path in Directory.EnumerateFiles(folder, ".env*")
           where IsTemplate(path)
           orderby path
           select DotEnvFile.Read(path),
    ];
}
