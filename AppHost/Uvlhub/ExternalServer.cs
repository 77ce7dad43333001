using System.Globalization;
using System.Net;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>A MariaDB that this model does not run: where containers find it.</summary>
internal sealed record ExternalServer(string Host, int Port)
{
    /// <summary>The key of its name or address in the checkout's settings.</summary>
    public const string HostKey = "MARIADB_HOSTNAME";

    /// <summary>The key of its port in the checkout's settings.</summary>
    public const string PortKey = "MARIADB_PORT";

    private const string HostSetting = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Database)}:{nameof(UvlhubOptions.DatabaseOptions.Host)}";

    // What compose calls the server that it runs, and what uvlhub's templates have.
    private const string ComposeService = "db";

    /// <summary>Reads the settings; <see langword="null"/> where the environment runs a server of its own.</summary>
    /// <exception cref="UserErrorException">It is not said where the server is, or no container could reach it there.</exception>
    public static ExternalServer? Read(UvlhubOptions options, UvlhubCheckout checkout)
    {
        if (checkout.Profile.HasDatabase)
        {
            return null;
        }

        var file = checkout.EnvironmentFile;
        var given = options.Database.Host is { Length: > 0 } ? options.Database.Host.Trim() : null;
        var host = given ?? checkout.Environment.GetValueOrDefault(HostKey)?.Trim();
        if (string.IsNullOrEmpty(host) || (given is null && host == ComposeService))
        {
            throw At(file, HostKey, string.IsNullOrEmpty(host)
                ? $"{checkout.Profile.Name} runs no database, and {HostKey} is missing: put the name of the database's server there, or "
                    + $"set {HostSetting}"
                : $"{HostKey} is '{host}', and {checkout.Profile.Name} runs no database: put the name of the database's server there, or "
                    + $"set {HostSetting}");
        }

        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)))
        {
            var problem = $"the database's server is '{host}', which inside a container is the container itself. Name it as other "
                + "machines do; this machine is host.docker.internal to containers";
            throw given is null ? At(file, HostKey, problem) : new UserErrorException($"{HostSetting}: {problem}");
        }

        return new ExternalServer(host, options.Database.Port ?? ReadPort(checkout));
    }

    private static int ReadPort(UvlhubCheckout checkout)
    {
        var text = checkout.Environment.GetValueOrDefault(PortKey);
        return string.IsNullOrEmpty(text) ? MariaDBServerResource.DefaultPort
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port
            : throw At(checkout.EnvironmentFile, PortKey, $"{PortKey} is '{text}'; a port is a number from 1 to 65535");
    }

    private static UserErrorException At(DotEnvFile file, string key, string problem) =>
        new(problem, file.Path, file.LineOf(key));
}
