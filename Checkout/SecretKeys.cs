using System.Text.RegularExpressions;

namespace UvlhubAspire.Checkout;

/// <summary>Which of a checkout's settings are secrets, and which values are none yet.</summary>
public static partial class SecretKeys
{
    /// <summary>The key of Flask's sessions.</summary>
    public const string SecretKey = "SECRET_KEY";

    /// <summary>The token that a redeployment is asked for with.</summary>
    public const string WebhookToken = "WEBHOOK_TOKEN";

    /// <summary>How many characters that token has at least: anybody on the network may try to guess it.</summary>
    public const int ShortestWebhookToken = 16;

    /// <summary>The password of MariaDB's <c>root</c>.</summary>
    public const string RootPassword = "MARIADB_ROOT_PASSWORD";

    /// <summary>The application user's password.</summary>
    public const string UserPassword = "MARIADB_PASSWORD";

    /// <summary>The password that backups are encrypted with.</summary>
    public const string BackupPassword = "BACKUP_PASSWORD";

    /// <summary>The private key with which another machine is reached that backups are kept on.</summary>
    public const string BackupSshKey = "BACKUP_SSH_KEY";

    private static readonly (string Scheme, string[] Keys)[] s_backupKeys =
        [("s3:", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]), ("sftp:", [BackupSshKey])];

    /// <summary>The secrets that backups need.</summary>
    /// <param name="repository">Where the backups are kept; <see langword="null"/> or empty for nowhere.</param>
    public static IReadOnlyList<string> OfBackups(string? repository) =>
        string.IsNullOrEmpty(repository) ? []
            : [BackupPassword, .. s_backupKeys.Where(kind => repository.StartsWith(kind.Scheme, StringComparison.Ordinal)).SelectMany(kind => kind.Keys)];

    /// <summary>Whether a secret is for backups alone: the site is not given it, and nobody but a person makes it up, because who has lost
    /// the server needs it.</summary>
    /// <param name="key">The secret's name.</param>
    /// <param name="repository">Where the backups are kept; <see langword="null"/> or empty for nowhere.</param>
    public static bool IsForBackups(string key, string? repository) => key is BackupPassword or BackupSshKey || OfBackups(repository).Contains(key);

    /// <summary>Whether a key's value must not be seen, by the words in its name.</summary>
    public static bool IsSecret(string key) => SecretName().IsMatch(key);

    /// <summary>Whether a value stands for one that a person has to fill in: <c>&lt;CHANGE_THIS&gt;</c>,
    /// <c>&lt;your_name&gt;</c>, <c>changeme</c>, or what only a workflow of GitHub's fills in (<see cref="IsWorkflows"/>).</summary>
    public static bool IsPlaceholder(string value) => Placeholder().IsMatch(value.Trim()) || IsWorkflows(value);

    /// <summary>Whether a value is <c>${{ secrets.NAME }}</c> or has such a part: nobody but a workflow of GitHub's knows it.</summary>
    public static bool IsWorkflows(string value) => Workflows().IsMatch(value);

    /// <summary>Variables without those whose value only a workflow of GitHub's knows.</summary>
    public static IReadOnlyDictionary<string, string> WithoutWorkflows(IReadOnlyDictionary<string, string> variables) =>
        variables.Values.Any(IsWorkflows)
            ? variables.Where(variable => !IsWorkflows(variable.Value)).ToDictionary(StringComparer.Ordinal)
            : variables;

    /// <summary>Whether a value is an address that has a password in it: <c>mysql://user:password@db</c>.</summary>
    public static bool HasPassword(string value) => Credentials().IsMatch(value);

    /// <summary>Whether a variable's value must not be seen, by its name or by what it holds.</summary>
    public static bool LooksSecret(string key, string value) => IsSecret(key) || HasPassword(value);

    [GeneratedRegex(@"://[^/@\s:]*:[^/@\s]+@")]
    private static partial Regex Credentials();

    [GeneratedRegex(
        "PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|WEBHOOK_URL|(^|_)(KEY|PASS|PWD|SALT|DSN|PAT)$",
        RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex(@"\$\{\{.*?\}\}")]
    private static partial Regex Workflows();

    [GeneratedRegex(@"^(<[^<>]*>|change[_-]?(this|me))$", RegexOptions.IgnoreCase)]
    private static partial Regex Placeholder();
}
