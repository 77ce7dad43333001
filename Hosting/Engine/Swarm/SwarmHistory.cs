using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CliWrap;
using CliWrap.Buffered;

namespace UvlhubAspire.Engine;

/// <summary>
/// Who or what deployed which version when. It is kept in the swarm itself, one config for each deployment: managers have it in common,
/// no restore of the database takes it back, and it outlives the stack.
/// </summary>
/// <param name="stack">The stack.</param>
public sealed class SwarmHistory(SwarmStack stack)
{
    private const int Kept = 50;
    private const string Label = "uvlhub-aspire.history";

    /// <summary>The deployments, the newest first.</summary>
    /// <exception cref="UserErrorException">The engine does not answer.</exception>
    public async Task<IReadOnlyList<SwarmDeployed>> ReadAsync(CancellationToken cancellationToken)
    {
        var names = await NamesAsync(cancellationToken);
        if (names.Count == 0)
        {
            return [];
        }

        var contents = await stack.AskAsync(
            cancellationToken, ["config", "inspect", "--format", "{{json .Spec.Data}}", .. names]);
        return
        [
            .. contents.Split('\n').Select(content => JsonSerializer.Deserialize(
                Convert.FromBase64String(content.Trim('"')), SwarmJson.Default.SwarmDeployed)!),
        ];
    }

    /// <summary>Writes one down, and forgets those before the last fifty.</summary>
    /// <exception cref="UserErrorException">The engine does not take it.</exception>
    public async Task AddAsync(SwarmDeployed deployed, CancellationToken cancellationToken)
    {
        var name = $"{Prefix}{deployed.When.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff", CultureInfo.InvariantCulture)}";
        var made = await Cli.Wrap(stack.Engine.Executable)
            .WithArguments(["config", "create", "--label", $"{Label}={stack.Name}", name, "-"])
            .WithStandardInputPipe(PipeSource.FromBytes(JsonSerializer.SerializeToUtf8Bytes(deployed, SwarmJson.Default.SwarmDeployed)))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Encoding.UTF8, cancellationToken);
        if (!made.IsSuccess)
        {
            throw new UserErrorException($"{stack.Engine.Executable} config create {name}: {made.StandardError.Trim()}");
        }

        var old = (await NamesAsync(cancellationToken)).Skip(Kept).ToArray();
        if (old.Length > 0)
        {
            await stack.AskAsync(cancellationToken, ["config", "rm", .. old]);
        }
    }

    /// <summary>Spells deployments for people, a line each.</summary>
    public static IEnumerable<string> Describe(IReadOnlyList<SwarmDeployed> deployed) => deployed.Count == 0 ? ["nothing was deployed yet"]
        : deployed.Select(known => string.Create(
            CultureInfo.InvariantCulture,
            $"{known.When.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z  {known.Version}  by {known.By}  schema {known.Revision ?? "unknown"}  "
            + $"{(known.Failure is null ? "serves" : $"failed: {known.Failure}")}"));

    private string Prefix => $"{stack.Name}_deployed_";

    private async Task<List<string>> NamesAsync(CancellationToken cancellationToken) =>
        [.. (await stack.AskAsync(cancellationToken, "config", "ls", "--filter", $"label={Label}={stack.Name}", "--format", "{{.Name}}"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).OrderDescending(StringComparer.Ordinal)];
}

/// <summary>One deployment.</summary>
/// <param name="When">When it ended.</param>
/// <param name="Version">The version: the tag of the site's image, and its digest where a registry told one.</param>
/// <param name="By">Who or what deployed it.</param>
/// <param name="Failure">Why it failed; <see langword="null"/> if it serves.</param>
/// <param name="Revision">The schema that it served with; <see langword="null"/> if nobody could tell.</param>
/// <param name="Images">What the services with the site's image ran, by their names; what was tried, if it failed.</param>
public sealed record SwarmDeployed(
    DateTimeOffset When, string Version, string By, string? Failure, string? Revision, IReadOnlyDictionary<string, string> Images);

[JsonSerializable(typeof(SwarmDeployed))]
[JsonSerializable(typeof(SchemaStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class SwarmJson : JsonSerializerContext;
