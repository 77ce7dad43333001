using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace UvlhubAspire.Checkout;

/// <summary>
/// Reads the settings, once, at the start. A key that is no setting and a value that its setting does not take are errors;
/// one message names them all, and where each stands.
/// </summary>
public static class SettingsReader
{
    private const string Ports = $"{nameof(UvlhubOptions.Ports)}:";

    // The group's type is named here because a program that is compiled ahead of time keeps the properties of named types only.
    private static readonly Dictionary<string, PropertyInfo> s_settings = new(
        [
            .. Of<UvlhubOptions>(""),
            .. Of<UvlhubOptions.PipOptions>(nameof(UvlhubOptions.Pip)),
            .. Of<UvlhubOptions.CertificateOptions>(nameof(UvlhubOptions.Certificate)),
            .. Of<UvlhubOptions.GunicornOptions>(nameof(UvlhubOptions.Gunicorn)),
            .. Of<UvlhubOptions.UpdateOptions>(nameof(UvlhubOptions.Updates)),
            .. Of<UvlhubOptions.PublishOptions>(nameof(UvlhubOptions.Publish)),
            .. Of<UvlhubOptions.DatabaseOptions>(nameof(UvlhubOptions.Database)),
            .. Of<UvlhubOptions.BackupOptions>(nameof(UvlhubOptions.Backups)),
            .. Of<UvlhubOptions.SnapshotOptions>(nameof(UvlhubOptions.Snapshots)),
            .. Of<UvlhubOptions.MigratorOptions>(nameof(UvlhubOptions.Migrator)),
            .. Of<UvlhubOptions.ContainerOptions>(nameof(UvlhubOptions.Containers)),
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The full names of all settings but the ports', which depend on the checkout's services.</summary>
    public static IEnumerable<string> Names => s_settings.Keys.Select(Full);

    /// <summary>Reads them.</summary>
    /// <exception cref="UserErrorException">A key or a value is wrong.</exception>
    public static UvlhubOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(UvlhubOptions.Section);
        List<KeyValuePair<string, string?>> given =
            [.. section.AsEnumerable(makePathsRelative: true).Where(setting => setting.Value is not null)];
        Refuse(configuration, from setting in given
                              let problem = Problem(setting.Key, setting.Value!)
                              where problem is not null
                              select (Full(setting.Key), problem));

        var options = section.Get<UvlhubOptions>() ?? new UvlhubOptions();
        foreach (var (key, value) in given)
        {
            // A service with several ports has a group of them, which the binder passes over.
            if (IsPort(key) && value!.Length > 0)
            {
                options.Ports[key[Ports.Length..]] = int.Parse(value, CultureInfo.InvariantCulture);
            }
        }

        return options;
    }

    /// <summary>Refuses ports of services that a checkout does not have.</summary>
    /// <param name="configuration">Where the settings come from.</param>
    /// <param name="options">The settings.</param>
    /// <param name="known">The names below <c>Uvlhub:Ports</c> that mean something.</param>
    /// <exception cref="UserErrorException">There is such a port.</exception>
    public static void RefuseUnknownPorts(IConfiguration configuration, UvlhubOptions options, IReadOnlyCollection<string> known) =>
        Refuse(configuration, options.Ports.Keys.Except(known, StringComparer.OrdinalIgnoreCase)
            .Select(name => Ports + name)
            .Select(key => (Full(key), Unknown(key, [.. known.Select(name => Ports + name)]))));

    private static IEnumerable<KeyValuePair<string, PropertyInfo>> Of<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(string group) =>
        typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.PropertyType.DeclaringType != typeof(UvlhubOptions) && property.Name != nameof(UvlhubOptions.Ports))
            .Select(property => KeyValuePair.Create(group.Length == 0 ? property.Name : $"{group}:{property.Name}", property));

    private static string Full(string key) => $"{UvlhubOptions.Section}:{key}";

    private static bool IsPort(string key) => key.StartsWith(Ports, StringComparison.OrdinalIgnoreCase);

    private static void Refuse(IConfiguration configuration, IEnumerable<(string Key, string Problem)> problems)
    {
        List<string> lines = [.. problems.Select(wrong => $"{wrong.Problem}{Origin(configuration, wrong.Key)}")];
        if (lines.Count > 0)
        {
            throw new UserErrorException(string.Join(System.Environment.NewLine, lines));
        }
    }

    private static string? Problem(string key, string value)
    {
        if (IsPort(key))
        {
            return value.Length == 0
                || (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535)
                ? null : Must(key, value, "a port from 1 to 65535, or 0 for any free one");
        }

        if (!s_settings.TryGetValue(key, out var setting))
        {
            return Unknown(key, s_settings.Keys);
        }

        var type = Nullable.GetUnderlyingType(setting.PropertyType) ?? setting.PropertyType;
        if (value.Length == 0 && (type == typeof(string) || type != setting.PropertyType))
        {
            return null;
        }

        var rule = setting.GetCustomAttribute<ValidationAttribute>();
        var (read, words) = Convert(type, value.Trim());
        return read is null || rule?.IsValid(read) == false ? Must(key, value, rule?.FormatErrorMessage(key) ?? words) : null;
    }

    private static (object? Value, string Words) Convert(Type type, string value) =>
        type == typeof(bool) ? (bool.TryParse(value, out var on) ? on : null, "true or false")
        : type == typeof(int)
            ? (int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
                "a whole number")
        : type == typeof(TimeSpan)
            ? (TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time) ? time : null, DurationAttribute.Words)
        : type.IsEnum
            ? (!value.All(char.IsAsciiDigit) && Enum.TryParse(type, value, ignoreCase: true, out var name) ? name : null,
                string.Join(" or ", Enum.GetNames(type)).ToLowerInvariant())
        : (value, "text");

    private static string Must(string key, string value, string words) => $"{Full(key)} must be {words}; it is '{value}'";

    // What there was once. A server's own files may still have it.
    private static readonly (string Key, string Now)[] s_gone =
    [
        ("Deploy:Webhook", $"the stack's own service answers it: {Full("Updates:Webhook")}"),
        ("Deploy:CheckEvery", $"the stack's own service asks the registry: {Full("Updates:CheckEvery")}"),
        ("Deploy:Image", $"a server runs the images of {Full("Publish:Registry")}, and {Full("Updates:CheckEvery")} has it follow them"),
        ("Deploy:", "'dotnet aspire deploy' deploys the checkout as it stands, after 'git pull' where that is wanted"),
        ("Tls:Email", $"it is {Full("Certificate:Email")} now, of what 'dotnet aspire deploy' deploys"),
        ("Tls:Authority", $"it is {Full("Certificate:Authority")} now, of what 'dotnet aspire deploy' deploys"),
        ("Tls:", "the stack's certbot renews by itself, thirty days before a certificate ends"),
    ];

    private static string Unknown(string key, IReadOnlyCollection<string> known)
    {
        if (Array.Find(s_gone, gone => key.StartsWith(gone.Key, StringComparison.OrdinalIgnoreCase)) is { Key: not null } gone)
        {
            return $"{Full(key)} is no setting any more; {gone.Now} (docs/production.md)";
        }

        var (nearest, changes) = known.Select(name => (name, ToChange(name))).MinBy(candidate => candidate.Item2);
        return $"{Full(key)} is not a setting; "
            + (changes <= Math.Max(2, LastOf(key).Length / 3) ? $"did you mean {Full(nearest)}?" : "README.md lists them");

        // Nothing where its own name stands in the wrong group, or a group's or an item's where the setting's should.
        int ToChange(string name) => LastOf(name).Equals(LastOf(key), StringComparison.OrdinalIgnoreCase)
            || $"{name}:".StartsWith($"{key}:", StringComparison.OrdinalIgnoreCase)
            || $"{key}:".StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase)
                ? 0 : Changes(name.ToUpperInvariant(), key.ToUpperInvariant());

        static string LastOf(string name) => name[(name.LastIndexOf(':') + 1)..];
    }

    // Levenshtein's distance: letters to add, to take away or to replace.
    private static int Changes(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            (var diagonal, row[0]) = (row[0], i);
            for (var j = 1; j <= to.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (from[i - 1] == to[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }

    private static string Origin(IConfiguration configuration, string key)
    {
        foreach (var provider in (configuration as IConfigurationRoot)?.Providers.Reverse() ?? [])
        {
            if (provider.TryGet(key, out _))
            {
                return provider switch
                {
                    CommandLineConfigurationProvider => " (on the command line)",
                    EnvironmentVariablesConfigurationProvider =>
                        $" (the environment variable {key.Replace(":", "__", StringComparison.Ordinal)})",
                    FileConfigurationProvider { Source: { Path: { } path } source } =>
                        $" ({source.FileProvider?.GetFileInfo(path).PhysicalPath ?? path})",
                    ChainedConfigurationProvider chained => Origin(chained.Configuration, key),
                    _ => "",
                };
            }
        }

        return "";
    }
}
