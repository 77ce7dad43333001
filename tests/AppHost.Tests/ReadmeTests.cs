using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>What README.md says of the settings and of the measurements is what there is.</summary>
public sealed partial class ReadmeTests
{
    private const string Ports = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Ports)}:";

    // Set by the AppHost or an image for the programs that it starts, not by people.
    private static readonly string[] s_internal = ["Uvlhub:Containers:Database", "Uvlhub:Containers:Toolbox", "Uvlhub:Migrator:Local"];

    private static readonly string s_repository = Path.GetDirectoryName(RepositoryFolder.Images)!;
    private static readonly string[] s_readme = File.ReadAllLines(Path.Combine(s_repository, "README.md"));

    // What a setting whose property has no value comes to, asked of who decides it.
    private static readonly Dictionary<string, string> s_decided = new(StringComparer.Ordinal)
    {
        ["Uvlhub:Path"] = $"`{Path.GetRelativePath(s_repository, RepositoryFolder.BundledSample)}`",
        ["Uvlhub:DataVolume"] = $"`{new InstanceNames(instance: null).DataVolume("")}<folder>`",
        ["Uvlhub:Gunicorn:Workers"] = $"2 × cores + 1 (at most {FlaskBuilderExtensions.MostWorkers})",
        ["Uvlhub:Environment"] = $"`{EnvironmentProfile.Development.Name}`",
    };

    // What comes from the checkout, from elsewhere or from nowhere: what README says of it is words.
    private static readonly string[] s_described =
    [
        "Uvlhub:Database:Administrator", "Uvlhub:Database:CertificateAuthority", "Uvlhub:Database:Host", "Uvlhub:Database:Port", "Uvlhub:Domain",
        "Uvlhub:Version", "Uvlhub:Certificate:Email", "Uvlhub:Certificate:Authority", "Uvlhub:Certificate:AuthorityFile", "Uvlhub:Publish:Name",
        "Uvlhub:Publish:Registry", "Uvlhub:Instance",
        "Uvlhub:EngineSocket", "Uvlhub:Services", "Uvlhub:EnvironmentFile", "Uvlhub:ComposeFile", "Uvlhub:Profiles",
        "Uvlhub:Snapshots:Path", "Uvlhub:Backups:Repository", "Uvlhub:Backups:KnownHosts",
        "Uvlhub:Report",
    ];

    private static readonly Dictionary<string, object?> s_settings = Settings(UvlhubOptions.Section, new UvlhubOptions())
        .Concat(new HostPorts(new UvlhubOptions()).Names.Select(port => KeyValuePair.Create<string, object?>(Ports + port, null)))
        .Where(setting => !s_internal.Contains(setting.Key)).ToDictionary(StringComparer.Ordinal);

    // A figure of README is one of the measurement that has been rounded to README's digits.
    private static readonly IEqualityComparer<decimal> s_rounded = EqualityComparer<decimal>.Create((one, other) =>
    {
        var digits = Math.Min(one.Scale, other.Scale);
        return Math.Round(one, digits, MidpointRounding.AwayFromZero) == Math.Round(other, digits, MidpointRounding.AwayFromZero);
    });

    [Fact]
    public void The_table_has_every_setting_that_can_be_set_and_no_other() =>
        Assert.Equal(s_settings.Keys.Order(StringComparer.Ordinal), Table().Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void The_tables_defaults_are_the_settings_own()
    {
        var expected = s_settings.Keys.Except(s_described).ToDictionary(setting => setting, Default, StringComparer.Ordinal);
        Assert.Equal(
            expected.OrderBy(setting => setting.Key, StringComparer.Ordinal),
            Table().Where(row => expected.ContainsKey(row.Key)).OrderBy(setting => setting.Key, StringComparer.Ordinal));
        // What is only described has no value of its own, and would be compared if it got one.
        Assert.All(s_described, setting => Assert.Null(s_settings[setting]));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("Uvlhub:Environment", "--Uvlhub:Services=-nginx")]
    [InlineData("Uvlhub:Secrets", "--Uvlhub:Environment=Production")]
    [InlineData("Uvlhub:OpenTo", "--Uvlhub:Environment=Development")]
    public async Task Without_a_setting_it_is_as_with_the_tables_default(string setting, string other)
    {
        Assert.Equal(await DescribeAsync(other), await DescribeAsync(other, $"--{setting}={Table()[setting].Trim('`')}"));

        static async Task<string> DescribeAsync(params string[] settings)
        {
            try
            {
                await using var model = await EditionModel.CreateAsync(Edition.Course, WriteProduction, settings);
                return string.Join('\n', model.Containers.Select(name => string.Join(' ',
                    [name, .. model.Container(name).Annotations.OfType<EndpointAnnotation>().Select(endpoint => $"{endpoint.Name} {endpoint.Port} {endpoint.TargetHost}")])));
            }
            catch (UserErrorException exception)
            {
                return TemporaryName().Replace(exception.Message, "");
            }
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Gunicorn_has_as_many_workers_as_the_table_says()
    {
        var words = WorkersDefault().Match(Table()["Uvlhub:Gunicorn:Workers"]);
        var (times, plus, most) = (Number(words, 1), Number(words, 2), Number(words, 3));
        await using var model = await EditionModel.CreateAsync(
            Edition.Course, WriteProduction,
            "--Uvlhub:Environment=Production", "--Uvlhub:Secrets=generated", "--Uvlhub:Services=-nginx");

        var arguments = (await model.FactsAsync("web")).Arguments;

        Assert.Equal(
            $"{Math.Min((times * Environment.ProcessorCount) + plus, most)}", arguments[arguments.ToList().IndexOf("--workers") + 1]);

        static int Number(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void What_is_named_anywhere_in_the_documents_can_be_set()
    {
        string[] documents = [Path.Combine(s_repository, "README.md"), Path.Combine(s_repository, "CONTRIBUTING.md"),
            .. Directory.EnumerateFiles(Path.Combine(s_repository, "docs"), "*.md", SearchOption.AllDirectories)];
        var named = documents
            .SelectMany(document => SettingName().Matches(File.ReadAllText(document)))
            .Select(match => match.Value.Replace("__", ":", StringComparison.Ordinal))
            .Distinct();
        // A group of settings may be named as a whole.
        Assert.All(
            named,
            name =>
                Assert.Contains(s_settings.Keys, setting => setting == name || setting.StartsWith($"{name}:", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("a database that is killed → the site answers again", "database killed → site answers")]
    [InlineData("an edit → served: template, Python", "edit of a template → served", "edit of a Python file → served")]
    [InlineData("nothing to migrate", "nothing to migrate")]
    [InlineData("empty volume → first page", "cold: empty volume → first page")]
    [InlineData("stopped → first page", "warm: stopped, volume kept → first page")]
    [InlineData("stopped → ready, and the prompt is back", "./run --detach → prompt, against compose up --detach --wait")]
    public void The_first_tables_figures_are_those_of_the_measurement(string row, params string[] measured)
    {
        var cells = Row(row);
        var results = measured.Select(Result).ToList();

        Assert.Equal(results.Select(result => result.Theirs), Seconds().Matches(cells[1]).Select(Figure).Take(results.Count), s_rounded);
        Assert.Equal(results.Select(result => result.Ours), Seconds().Matches(cells[2]).Select(Figure).Take(results.Count), s_rounded);
        Assert.Equal(results.Select(result => result.Ratio), Ratio().Matches(cells[2]).Select(Figure), s_rounded);
        if (cells[2].Contains("within the runs' own spread", StringComparison.Ordinal))
        {
            Assert.All(
                results,
                result =>
                    Assert.True(
                        result.OurLowest <= result.TheirHighest && result.TheirLowest <= result.OurHighest,
                        $"{row}: the runs do not overlap"));
        }
    }

    [Fact]
    public void The_whole_process_that_finds_nothing_to_migrate_takes_what_its_own_measurement_says()
    {
        var measured = File.ReadLines(Path.Combine(s_repository, "bench/results/no-op-check.txt"))
            .First(line => line.StartsWith("UvlhubRunner, the whole process", StringComparison.Ordinal));
        Assert.Equal(Figure(Seconds().Match(measured)), Figure(Seconds().Matches(Row("nothing to migrate")[2])[1]), s_rounded);
    }

    private static string[] Row(string title) => [.. s_readme.Single(line => line.StartsWith($"| {title} |", StringComparison.Ordinal)).Trim('|').Split('|').Select(cell => cell.Trim())];

    private static Measurement Result(string title)
    {
        var lines = File.ReadAllLines(Path.Combine(s_repository, "bench/results/results.txt"));
        var match = Measured().Match(lines[Array.IndexOf(lines, title) + 1]);
        Assert.True(match.Success, $"'{title}' is not measured");
        decimal[] figures = [.. match.Groups.Values.Skip(1).Select(group => decimal.Parse(group.Value, CultureInfo.InvariantCulture))];
        return new Measurement(figures[0], figures[1], figures[2], figures[3], figures[4], figures[5], figures[6]);
    }

    private static decimal Figure(Match match) => decimal.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);

    private static void WriteProduction(TemporaryFolder folder)
    {
        folder.Write("docker/images/Dockerfile.prod", "FROM python:3.12-slim\nWORKDIR /app\n");
        folder.Write(".env.docker.production.example", "MARIADB_PASSWORD=<CHANGE_THIS>\n");
    }

    private static IEnumerable<KeyValuePair<string, object?>> Settings(string prefix, object options) =>
        options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is not null)
            .SelectMany(property => property.GetValue(options) is { } value && property.PropertyType.DeclaringType == typeof(UvlhubOptions)
                ? Settings($"{prefix}:{property.Name}", value)
                : [KeyValuePair.Create($"{prefix}:{property.Name}", property.GetValue(options))]);

    private static string Default(string setting) => s_settings[setting] switch
    {
        _ when setting.StartsWith(Ports, StringComparison.Ordinal) => Port(setting[Ports.Length..]),
        null => s_decided.GetValueOrDefault(setting, "nobody has said yet what it comes to"),
        bool value => value ? "`true`" : "`false`",
        string value => $"`{value}`",
        int value => value.ToString(CultureInfo.InvariantCulture),
        TimeSpan time => InWords(time),
        Enum choice => $"`{choice.ToString().ToLowerInvariant()}`",
        var value => throw new InvalidOperationException($"how README writes {setting}, {value}, is not known"),
    };

    private static string Port(string name)
    {
        var ports = new HostPorts(new UvlhubOptions());
        var port = typeof(HostPorts).GetProperty(name) is { } own ? (HostPort)own.GetValue(ports)!
            : KnownService.All.SelectMany(
                service => service.Ports.Where(port => port.Setting == name).Select(port => ports.Of(service, port)))
                .Single();
        return port.Number?.ToString(CultureInfo.InvariantCulture) ?? "any";
    }

    private static string InWords(TimeSpan time) =>
        time.TotalDays >= 1 ? Counted(time.TotalDays, "day")
            : time.TotalHours >= 1 ? Counted(time.TotalHours, "hour")
            : time.TotalMinutes >= 1 ? Counted(time.TotalMinutes, "minute")
            : Counted(time.TotalSeconds, "second");

    private static string Counted(double number, string unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {unit}{(number == 1 ? "" : "s")}");

    /// <summary>Every setting of the table with its default; those that share a row are taken apart.</summary>
    private static Dictionary<string, string> Table()
    {
        var rows = s_readme.SkipWhile(line => line != "## Settings").SkipWhile(line => !line.StartsWith("|---", StringComparison.Ordinal))
            .Skip(1)
            .TakeWhile(line => line.StartsWith('|')).Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray());
        Dictionary<string, string> table = new(StringComparer.Ordinal);
        foreach (var cells in rows)
        {
            var names = Code().Matches(cells[0]).Select(match => match.Groups[1].Value).ToList();
            if (names is [$"{Ports}…"])
            {
                foreach (Match port in PortOfTable().Matches(cells[2]))
                {
                    table.Add(Ports + port.Groups[1].Value, port.Groups[2].Success ? port.Groups[2].Value : "any");
                }

                continue;
            }

            var defaults = names.Count == 1 ? [cells[1]] : cells[1].Split(", ");
            Assert.True(names.Count == defaults.Length, $"{cells[0]} has not as many defaults: {cells[1]}");
            for (var i = 0; i < names.Count; i++)
            {
                // '…:LockTimeout' is below what stands before it, and a number without a unit has that of the last one.
                var name = names[i].Replace("…", names[0][..names[0].LastIndexOf(':')], StringComparison.Ordinal);
                var unit = Unit().Match(defaults[^1]);
                table.Add(
                    name,
                    !defaults[i].All(char.IsAsciiDigit) || !unit.Success
                        ? defaults[i]
                        : Counted(int.Parse(defaults[i], CultureInfo.InvariantCulture), unit.Value));
            }
        }

        return table;
    }

    private sealed record Measurement(
        decimal Ours, decimal OurLowest, decimal OurHighest, decimal Theirs, decimal TheirLowest, decimal TheirHighest, decimal Ratio);

    [GeneratedRegex(@"uvlhub-aspire-\w+")]
    private static partial Regex TemporaryName();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"`([A-Z][A-Za-z]+)`(?: \((\d+)[^)]*\))?")]
    private static partial Regex PortOfTable();

    [GeneratedRegex("(?<=^[0-9]+ )(minute|hour|day)(?=s?$)")]
    private static partial Regex Unit();

    [GeneratedRegex(@"^(\d+) × cores \+ (\d+) \(at most (\d+)\)$")]
    private static partial Regex WorkersDefault();

    // The faults tell of one that is none.
    [GeneratedRegex(@"(?>Uvlhub(?::|__)[A-Z][A-Za-z]*(?:(?::|__)[A-Z][A-Za-z]*)*)(?! is not a setting)")]
    private static partial Regex SettingName();

    [GeneratedRegex(@"(\d+\.\d+) s\b")]
    private static partial Regex Seconds();

    [GeneratedRegex(@"(\d+\.\d+) ×")]
    private static partial Regex Ratio();

    [GeneratedRegex(@"^ +\S+ ([\d.]+) s \(([\d.]+)–([\d.]+)(?:, n=\d+)?\) +.+? ([\d.]+) s \(([\d.]+)–([\d.]+)(?:, n=\d+)?\) +ratio ([\d.]+)")]
    private static partial Regex Measured();
}
