namespace UvlhubAspire.Checkout;

/// <summary>Names that the AppHost gives, and by which UvlhubRunner finds things in a shell.</summary>
public static class SharedNames
{
    /// <summary>The resource of the database server, as AppHost.cs calls it.</summary>
    public const string Server = "db";

    /// <summary>The resource of the application's database, as AppHost.cs calls it.</summary>
    public const string Database = "uvlhubdb";

    /// <summary>The setting of the database's port on the host, below <c>Uvlhub:Ports</c>.</summary>
    public const string DatabasePort = "Database";

    /// <summary>The parameter with the password of MariaDB's <c>root</c>.</summary>
    public const string RootPassword = "mariadb-root-password";

    /// <summary>The parameter with the application user's password.</summary>
    public const string UserPassword = "mariadb-password";

    /// <summary>The user secrets in which the AppHost keeps passwords that it had to invent: its project file's id.</summary>
    public const string UserSecrets = "uvlhub-aspire-apphost";

    /// <summary>
    /// The file in which <c>UvlhubRunner schedule</c> says how the backups are: until when all is well, in seconds since 1970, and
    /// below that why.
    /// </summary>
    public const string BackupState = "/tmp/uvlhub-backups";

    /// <summary>The list of Python's packages in the stand-in of a checkout's image; no other image has this file.</summary>
    public const string StandInsPackages = "/usr/share/uvlhub-aspire/python-packages.txt";
}
