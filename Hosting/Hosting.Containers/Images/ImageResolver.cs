using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Decides, before anything starts, which image each container runs, says so in one line with the reason, and has the
/// image built when its container is about to be created, so that the dashboard is there to watch and containers that
/// need no build do not wait.
/// </summary>
internal sealed class ImageResolver(
    ImageChooser chooser, ImagePuller puller, ImageBuilder builder, DistributedApplicationModel model, ILoggerFactory loggers)
    : IDistributedApplicationEventingSubscriber
{
    // By then the others have started, too, and nothing that somebody waits for is slowed down.
    private static readonly TimeSpan s_afterStart = TimeSpan.FromSeconds(10);
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire.Images");

    /// <inheritdoc/>
    public async Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        var containers = model.Resources.OfType<ContainerResource>().Where(known => known.HasAnnotationOfType<ContainerImage>()).ToList();
        foreach (var same in containers.GroupBy(container => container.Annotations.OfType<ContainerImage>().Last()))
        {
            // Not while the model is built, which runs no programs.
            if (same.Key.AtStart is { } atStart)
            {
                var image = await atStart(cancellationToken);
                foreach (var container in same)
                {
                    container.Annotations.Add(image);
                    Replace(container, image.CheckoutBuild!.Image);
                }
            }
        }

        if (context.IsRunMode)
        {
            // Asked here already, while other checks ask the engine other things.
            var choices = Task.WhenAll(containers.Select(container => chooser.ChooseAsync(container, cancellationToken)));
            eventing.Subscribe<BeforeStartEvent>(async (start, ct) => Apply(eventing, containers, await choices));
        }
    }

    private void Apply(
        IDistributedApplicationEventing eventing, IEnumerable<ContainerResource> containers, IReadOnlyList<ImageChoice> choices)
    {
        foreach (var (container, choice) in containers.Zip(choices))
        {
            if (choice.IsOutOfReach)
            {
                ImageLog.OutOfReach(_logger, container.Name, choice.Reason);
                ReleaseWhoeverWaitsForStart(container);
            }
            else
            {
                ImageLog.Chosen(_logger, container.Name, choice.Image, choice.Reason);
            }

            if (choice.IsHere)
            {
                container.Annotations.Add(new ImageIsHere());
            }

            if (choice.Recipe is { } recipe)
            {
                Replace(container, recipe.Image);
                container.Annotations.Add(new BuiltImage(recipe));
            }

            eventing.Subscribe<BeforeResourceStartedEvent>(
                container, (started, ct) => BringAsync(container, choice, started.Services, ct));
            if (choice.InPlaceOf.Count > 0)
            {
                eventing.Subscribe<ResourceReadyEvent>(container, (_, _) =>
                {
                    // Nobody waits for it.
                    _ = AskAgainAsync(container, choice);
                    return Task.CompletedTask;
                });
            }
        }
    }

    // One service that cannot be had shall not keep the site from starting. Whoever needs it healthy, or done, does wait.
    private void ReleaseWhoeverWaitsForStart(ContainerResource container)
    {
        foreach (var other in model.Resources)
        {
            foreach (var wait in other.Annotations.OfType<WaitAnnotation>()
                .Where(wait => wait.Resource == container && wait.WaitType == WaitType.WaitUntilStarted).ToList())
            {
                other.Annotations.Remove(wait);
                ImageLog.NotAwaited(_logger, other.Name, container.Name);
            }
        }
    }

    // A stand-in has its place until the real image is here; the next start then takes that one by itself.
    private async Task AskAgainAsync(ContainerResource container, ImageChoice choice)
    {
        await Task.Delay(s_afterStart);
        var answers = await Task.WhenAll(choice.InPlaceOf.Select(image => puller.Begin(image).Ended));
        if (answers.All(answer => answer.Problem is null))
        {
            var pulled = string.Join(", ", choice.InPlaceOf);
            if (container.Annotations.OfType<ContainerImage>().Last().HeldBack is { } heldBack
                && await heldBack(CancellationToken.None) is { } reason)
            {
                ImageLog.CameInVain(_logger, container.Name, pulled, choice.Image, reason);
            }
            else
            {
                ImageLog.CameLater(_logger, container.Name, pulled, choice.Image);
            }
        }
    }

    // At each start: by the time somebody starts it again the image may have been brought here, or its sources changed.
    private async Task BringAsync(
        ContainerResource container, ImageChoice choice, IServiceProvider services, CancellationToken cancellationToken)
    {
        var log = services.GetRequiredService<ResourceLoggerService>().GetLogger(container);
        try
        {
            await Task.WhenAll(choice.Needed.Select(image => puller.EnsureAsync(image, log, cancellationToken)));
            if (choice.Recipe is { } recipe)
            {
                await builder.EnsureAsync(recipe, log, cancellationToken);
            }
        }
        catch (ImageException exception)
        {
            // The container's own log has it as well; the console is where someone without the dashboard looks. Of one that is out of
            // reach it has been said there.
            if (!choice.IsOutOfReach)
            {
                ImageLog.NotBrought(_logger, container.Name, exception.Message);
            }

            throw;
        }
    }

    private static void Replace(ContainerResource container, string image)
    {
        var separator = image.LastIndexOf(':');
        var annotation = container.Annotations.OfType<ContainerImageAnnotation>().Last();
        (annotation.Registry, annotation.SHA256) = (null, null);
        (annotation.Image, annotation.Tag) = (image[..separator], image[(separator + 1)..]);
    }
}
