using System.Collections.Concurrent;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Engine;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// Decides, before anything starts, which image each container runs, says so in one line with the reason, and has the
/// image built when its container is about to be created, so that the dashboard is there to watch and containers that
/// need no build do not wait.
/// </summary>
internal sealed class ImageResolver(
    ContainerEngine engine, ImageBuilder builder, DistributedApplicationModel model, IConfiguration configuration, ILoggerFactory loggers)
    : IDistributedApplicationEventingSubscriber
{
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire.Images");
    private readonly ConcurrentDictionary<string, Task<bool>> _present = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task SubscribeAsync(IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            // Asked here already, while other checks ask the engine other things.
            var containers = model.Resources.OfType<ContainerResource>().Where(container => container.HasAnnotationOfType<ContainerImage>()).ToList();
            var choices = ChooseAllAsync(containers, cancellationToken);
            eventing.Subscribe<BeforeStartEvent>(async (start, ct) => Apply(eventing, containers, await choices));
        }

        return Task.CompletedTask;
    }

    private async Task<IReadOnlyList<Choice>> ChooseAllAsync(IEnumerable<ContainerResource> containers, CancellationToken cancellationToken)
    {
        var source = ReadSource(configuration);
        var registry = new RegistryProbe(engine);
        return await Task.WhenAll(containers.Select(container => ChooseAsync(container, source, registry, cancellationToken)));
    }

    private void Apply(IDistributedApplicationEventing eventing, IEnumerable<ContainerResource> containers, IEnumerable<Choice> choices)
    {
        foreach (var (container, choice) in containers.Zip(choices))
        {
            if (choice.IsOutOfReach)
            {
                ImageLog.OutOfReach(_logger, container.Name, choice.Reason);
                eventing.Subscribe<BeforeResourceStartedEvent>(container, (started, ct) => RequireAsync(container, choice, started.Services, ct));
                continue;
            }

            ImageLog.Chosen(_logger, container.Name, choice.Image, choice.Reason);
            if (choice.Recipe is { } recipe)
            {
                Replace(container, recipe.Image);
                container.Annotations.Add(new BuiltImage(recipe));
                eventing.Subscribe<BeforeResourceStartedEvent>(container, (started, ct) => BuildAsync(container, recipe, started.Services, ct));
            }
        }
    }

    private async Task<Choice> ChooseAsync(ContainerResource container, ImageSource source, RegistryProbe registry, CancellationToken cancellationToken)
    {
        var image = container.Annotations.OfType<ContainerImage>().Last();
        container.TryGetContainerImageName(out var real);
        var wanted = image.CheckoutBuild is { } build
            ? new Choice(build.Image, $"built from {build.Dockerfile}", build)
            : new Choice(real!, "the image that the model names", null);
        var needed = image.BaseImages ?? [real!];
        if (source == ImageSource.Registry)
        {
            return wanted;
        }

        if (image.StandInRecipe is not { } standIn)
        {
            return await ChooseWithoutStandInAsync(wanted, needed, source, registry, cancellationToken);
        }

        if (source == ImageSource.Debian)
        {
            return new Choice(standIn.Image, $"built from Debian's packages in place of {Described(image, real!)}, because Uvlhub:Images=debian", standIn);
        }

        var isBuilt = IsPresentAsync((standIn.Base ?? standIn).Image, cancellationToken);
        if (await AllPresentAsync(needed, cancellationToken))
        {
            return wanted.Present();
        }

        if (await isBuilt)
        {
            return new Choice(standIn.Image, $"built earlier from Debian's packages in place of {Described(image, real!)}; Uvlhub:Images=registry pulls that one", standIn);
        }

        var refusal = await registry.RefusalAsync(needed, cancellationToken);
        return refusal is null
            ? wanted.Pulled()
            : new Choice(standIn.Image, $"built from Debian's packages in place of {Described(image, real!)}, which no registry delivers here ({refusal})", standIn);
    }

    private async Task<Choice> ChooseWithoutStandInAsync(
        Choice wanted, IReadOnlyList<string> needed, ImageSource source, RegistryProbe registry, CancellationToken cancellationToken)
    {
        if (await AllPresentAsync(needed, cancellationToken))
        {
            return wanted.Present();
        }

        var refusal = source == ImageSource.Debian ? "Uvlhub:Images=debian asks none" : await registry.RefusalAsync(needed, cancellationToken);
        return refusal is null ? wanted.Pulled() : wanted with
        {
            Reason = $"{string.Join(", ", needed)} is not on this machine, and no registry delivers it ({refusal}). Pull, load or build it, then start the resource in the dashboard",
            IsOutOfReach = true,
        };
    }

    // By the time somebody starts it again the image may have been brought here.
    private async Task RequireAsync(ContainerResource container, Choice choice, IServiceProvider services, CancellationToken cancellationToken)
    {
        var image = container.Annotations.OfType<ContainerImage>().Last();
        _present.Clear();
        if (!await AllPresentAsync(image.BaseImages ?? [choice.Image], cancellationToken))
        {
            ImageLog.OutOfReach(services.GetRequiredService<ResourceLoggerService>().GetLogger(container), container.Name, choice.Reason);
            throw new DistributedApplicationException($"{container.Name} cannot start: {choice.Reason}");
        }

        if (choice.Recipe is { } recipe)
        {
            await BuildAsync(container, recipe, services, cancellationToken);
        }
    }

    private static string Described(ContainerImage image, string real) =>
        image.CheckoutBuild is { } build ? $"{Path.GetFileName(build.Dockerfile)} on {string.Join(", ", image.BaseImages ?? [])}" : real;

    private async Task<bool> AllPresentAsync(IEnumerable<string> images, CancellationToken cancellationToken) =>
        (await Task.WhenAll(images.Select(image => IsPresentAsync(image, cancellationToken)))).All(present => present);

    // Containers share images: each is asked for once.
    private Task<bool> IsPresentAsync(string image, CancellationToken cancellationToken) =>
        _present.GetOrAdd(image, name => engine.HasImageAsync(name, cancellationToken));

    private async Task BuildAsync(ContainerResource container, ImageRecipe recipe, IServiceProvider services, CancellationToken cancellationToken)
    {
        try
        {
            await builder.EnsureAsync(recipe, services.GetRequiredService<ResourceLoggerService>().GetLogger(container), cancellationToken);
        }
        catch (ImageBuildException exception)
        {
            // The container's own log has it as well; the console is where someone without the dashboard looks.
            ImageLog.NotBuilt(_logger, container.Name, exception.Message);
            throw;
        }
    }

    private static void Replace(ContainerResource container, string image)
    {
        var separator = image.LastIndexOf(':');
        foreach (var annotation in container.Annotations.OfType<ContainerImageAnnotation>().ToList())
        {
            container.Annotations.Remove(annotation);
        }

        container.Annotations.Add(new ContainerImageAnnotation { Image = image[..separator], Tag = image[(separator + 1)..] });
    }

    private static ImageSource ReadSource(IConfiguration configuration)
    {
        var value = configuration.GetSection(UvlhubOptions.Section)["Images"];
        return string.IsNullOrEmpty(value) ? ImageSource.Auto
            : Enum.TryParse<ImageSource>(value, ignoreCase: true, out var source) && Enum.IsDefined(source) ? source
            : throw new CheckoutException($"Uvlhub:Images is '{value}'; it can be auto, registry or debian");
    }

    private sealed record Choice(string Image, string Reason, ImageRecipe? Recipe)
    {
        public bool IsOutOfReach { get; init; }

        public Choice Present() => this with { Reason = Recipe is null ? "present on this machine" : $"{Reason}; its base image is present on this machine" };

        public Choice Pulled() => this with { Reason = Recipe is null ? "pulled from its registry" : Reason };
    }
}
