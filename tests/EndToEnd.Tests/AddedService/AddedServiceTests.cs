using System.Collections;
using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using CliWrap.Buffered;
using UvlhubAspire.AppHost.Uvlhub;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests.AddedService;

/// <summary>What CONTRIBUTING.md says of adding a service, done in a fresh clone: one file and one line. Nothing is started.</summary>
[Collection(ScriptsGroup.Name)]
public sealed partial class AddedServiceTests(ClonedRepository repository)
{
    private const string Source = "ExampleBuilderExtensions.cs";
    private const string Above = "builder.AddMailhog(uvlhub);\n";
    private const string Line = "builder.AddExample(uvlhub);\n";
    private const string Declared = """
          example:
            container_name: example_container
            image: example/mail:1.0
            ports:
              - "8026:8026"

        """;

    private readonly string _instance = Uvlhub.NewInstance();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // It may be the first to build the clone.
    [Fact(Timeout = 900_000)]
    public async Task One_file_and_one_line_make_a_service_that_everything_knows()
    {
        var clone = repository.Clone;
        var (added, model) = (Path.Combine(clone.Path, "AppHost/Services", Source), Path.Combine(clone.Path, "AppHost/AppHost.cs"));
        var text = await File.ReadAllTextAsync(model, Cancellation);
        Assert.Contains(Above, text, StringComparison.Ordinal);
        try
        {
            File.Copy(Path.Combine(clone.Path, "tests/EndToEnd.Tests/AddedService", $"{Source}.txt"), added);
            await File.WriteAllTextAsync(model, text.Replace(Above, Above + Line, StringComparison.Ordinal), Cancellation);

            await IsWhatTheComposeFileDeclaresAsync();
            await IsInTheModelWhereASettingAsksForItAsync();
            await CanBeNamedAsync();
            Assert.Equal(["ExamplePage"], PortsThatReadmeLacks());
        }
        finally
        {
            // The others find the clone as it was.
            File.Delete(added);
            await File.WriteAllTextAsync(model, text, CancellationToken.None);
        }

        await InstanceOnEngine.NothingWasMadeAsync(_instance);
    }

    private async Task IsWhatTheComposeFileDeclaresAsync()
    {
        using var checkout = new SampleCheckout();
        var compose = checkout.File("docker/docker-compose.dev.yml");
        var text = await File.ReadAllTextAsync(compose, Cancellation);
        const string Above = "\nvolumes:\n  db_data:";
        Assert.Contains(Above, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(compose, text.Replace(Above, $"\n{Declared}{Above[1..]}", StringComparison.Ordinal), Cancellation);

        var check = await CheckAsync(checkout, "--Uvlhub:Ports:ExamplePage=18026");

        Assert.True(check.ExitCode == 0, check.StandardOutput + check.StandardError);
        Assert.Contains(": 4 services compared, 0 unexplained, ", check.StandardOutput, StringComparison.Ordinal);
        Assert.Contains(", 0 not taken over", check.StandardOutput, StringComparison.Ordinal);
        // Of a service that is only imported the setting would have the service's own name.
        Assert.Contains("On purpose: Uvlhub:Ports:ExamplePage chooses the port\n", check.StandardOutput, StringComparison.Ordinal);
        Assert.Contains(": example: publishes 8026 on 8026, the model on 18026\n", check.StandardOutput, StringComparison.Ordinal);
    }

    private async Task IsInTheModelWhereASettingAsksForItAsync()
    {
        using var checkout = new SampleCheckout();

        var without = await CheckAsync(checkout);
        var with = await CheckAsync(checkout, "--Uvlhub:Services=+example");

        Assert.True(without.ExitCode == 0, without.StandardOutput + without.StandardError);
        Assert.DoesNotContain("example", without.StandardOutput, StringComparison.Ordinal);
        Assert.True(with.ExitCode == 0, with.StandardOutput + with.StandardError);
        Assert.Contains(
            "On purpose: an example, because a setting asks for it (Uvlhub:Services)\n  example: only the model has it\n",
            with.StandardOutput, StringComparison.Ordinal);
    }

    private async Task CanBeNamedAsync()
    {
        using var checkout = new SampleCheckout();

        var refused = await CheckAsync(checkout, "--Uvlhub:Services=+exampel");

        Assert.True(refused.ExitCode == 2, refused.StandardOutput + refused.StandardError);
        Assert.Contains("Uvlhub:Services names 'exampel', ", refused.StandardError, StringComparison.Ordinal);
        Assert.Contains(" elasticsearch, example, locust, ", refused.StandardError, StringComparison.Ordinal);
    }

    /// <summary>What README's test would miss in the table: it asks the same list, of the AppHost that was built last.</summary>
    private IEnumerable<string> PortsThatReadmeLacks()
    {
        var folder = repository.Clone.Path;
        // From memory, because the file is written again; what it refers to has not changed.
        using var program = new MemoryStream(File.ReadAllBytes(Path.Combine(folder, "AppHost/bin/Debug/net10.0/AppHost.dll")));
        var context = new AssemblyLoadContext(nameof(AddedServiceTests), isCollectible: true);
        try
        {
            var known = context.LoadFromStream(program).GetType(typeof(KnownService).FullName!, throwOnError: true)!;
            var services = Values(known.GetProperty(nameof(KnownService.All), BindingFlags.Public | BindingFlags.Static)!, of: null);
            string[] ports = [.. services.SelectMany(service => Values(service.GetType().GetProperty(nameof(KnownService.Ports))!, service))
                .Select(port => (string)port.GetType().GetProperty(nameof(ServicePort.Setting))!.GetValue(port)!)];
            var row = File.ReadLines(Path.Combine(folder, "README.md"))
                .Single(line => line.StartsWith("| `Uvlhub:Ports:…` |", StringComparison.Ordinal));
            return ports.Except(Name().Matches(row).Select(match => match.Groups[1].Value)).ToList();
        }
        finally
        {
            context.Unload();
        }

        static IEnumerable<object> Values(PropertyInfo property, object? of) => ((IEnumerable)property.GetValue(of)!).Cast<object>();
    }

    private Task<BufferedCommandResult> CheckAsync(SampleCheckout checkout, params string[] settings) =>
        repository.Clone.ExecuteAsync(
            "./run", ["--check", checkout.Path, "--", $"--Uvlhub:Instance={_instance}", .. settings], Cancellation);

    [GeneratedRegex("`([A-Z][A-Za-z]+)`")]
    private static partial Regex Name();
}
