using System.Text.Json;
using Aspire.Hosting;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>What VS Code and Codespaces are told about this repository is what there is.</summary>
public sealed class EditorFilesTests
{
    private static readonly string s_root = Path.GetDirectoryName(RepositoryFolder.Images)!;

    [Fact]
    public void The_debugger_attaches_to_the_port_and_the_folder_of_the_sample()
    {
        using var launch = Read(".vscode/launch.json");
        using var settings = Read(".vscode/settings.json");
        var checkout = UvlhubCheckout.Read(Path.Combine(s_root, settings.RootElement.GetProperty("uvlhub.path").GetString()!));
        Assert.Equal(checkout.WorkingDirectory, settings.RootElement.GetProperty("uvlhub.workingDirectory").GetString());

        var attaching = launch.RootElement.GetProperty("configurations").EnumerateArray()
            .Where(configuration => configuration.GetProperty("type").GetString() == "debugpy").ToList();
        Assert.NotEmpty(attaching);
        Assert.All(
            attaching,
            configuration =>
                Assert.Equal(
                    new HostPorts(new UvlhubOptions()).Debugger.Number,
                    configuration.GetProperty("connect").GetProperty("port").GetInt32()));
    }

    [Fact]
    public void What_a_launch_starts_before_is_a_task_and_its_settings_are_settings()
    {
        using var launch = Read(".vscode/launch.json");
        using var tasks = Read(".vscode/tasks.json");
        var byLabel = tasks.RootElement.GetProperty("tasks").EnumerateArray().ToDictionary(task => task.GetProperty("label").GetString()!);
        foreach (var configuration in launch.RootElement.GetProperty("configurations").EnumerateArray())
        {
            if (configuration.TryGetProperty("preLaunchTask", out var task))
            {
                Assert.Contains(task.GetString()!, byLabel.Keys);
            }
        }

        foreach (var command in (JsonElement[])[byLabel["uvlhub"], byLabel["uvlhub"].GetProperty("windows")])
        {
            var settings = command.GetProperty("args").EnumerateArray().Select(word => word.GetString()!)
                .Where(word => word.StartsWith("--Uvlhub:", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(settings);
            Assert.All(
                settings,
                setting =>
                    Assert.NotNull(
                        typeof(UvlhubOptions).GetProperty(setting["--Uvlhub:".Length..setting.IndexOf('=', StringComparison.Ordinal)])));
        }
    }

    [Fact]
    public void A_codespace_forwards_the_ports_that_people_open()
    {
        using var container = Read(".devcontainer/devcontainer.json");
        var (ports, nginx) = (new HostPorts(new UvlhubOptions()), NginxBuilderExtensions.Nginx);
        Assert.Equal(
            new[] { ports.Of(nginx, nginx.Ports[0]), ports.Web, ports.Debugger, ports.Dashboard }.Select(port => port.Number!.Value),
            container.RootElement.GetProperty("forwardPorts").EnumerateArray().Select(port => port.GetInt32()));
    }

    private static JsonDocument Read(string file) => JsonDocument.Parse(File.ReadAllText(Path.Combine(s_root, file)));
}
