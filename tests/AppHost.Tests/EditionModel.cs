using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>The AppHost's model of a checkout made of one edition's facts. Nothing is started.</summary>
public sealed class EditionModel : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly IDistributedApplicationTestingBuilder _builder;

    private EditionModel(TemporaryFolder folder, IDistributedApplicationTestingBuilder builder) => (_folder, _builder) = (folder, builder);

    /// <summary>Builds it.</summary>
    /// <param name="edition">One of the names in <see cref="Edition"/>.</param>
    /// <param name="change">Changes the checkout before it is read.</param>
    /// <param name="settings">Settings, as on the command line.</param>
    public static async Task<EditionModel> CreateAsync(string edition, Action<TemporaryFolder>? change = null, params string[] settings)
    {
        var folder = new TemporaryFolder();
        try
        {
            Edition.Load(edition).WriteCheckout(folder);
            Directory.CreateDirectory(Path.Combine(folder.Path, "docker/nginx/html"));
            change?.Invoke(folder);
            return new EditionModel(folder, await ModelOnly.CreateAsync([$"--Uvlhub:Path={folder.Path}", .. settings]));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The checkout's folder.</summary>
    public string Folder => _folder.Path;

    /// <summary>The names of all resources that are containers.</summary>
    public IEnumerable<string> Containers => _builder.Resources.OfType<ContainerResource>().Select(container => container.Name);

    public ContainerResource Container(string name) =>
        _builder.Resources.OfType<ContainerResource>().Single(container => container.Name == name);

    public EndpointAnnotation Endpoint(string container, string endpoint) =>
        Container(container).Annotations.OfType<EndpointAnnotation>().Single(annotation => annotation.Name == endpoint);

    /// <summary>What a container waits for, and how: <c>redis (WaitUntilHealthy)</c>.</summary>
    public IEnumerable<string> Waits(string container) =>
        Container(container).Annotations.OfType<WaitAnnotation>().Select(wait => $"{wait.Resource.Name} ({wait.WaitType})");

    internal Task<ContainerFacts> FactsAsync(string container) =>
        ContainerFacts.ReadAsync(Container(container), _builder.ExecutionContext, TestContext.Current.CancellationToken);

    /// <summary>What of the checkout's compose file is said on the console.</summary>
    internal ComposeFindings Findings => _builder.Services
        .Select(service => service.ImplementationInstance).OfType<UvlhubEnvironment>().Single().ComposeFindings;

    public async ValueTask DisposeAsync()
    {
        await _builder.DisposeAsync();
        _folder.Dispose();
    }
}
