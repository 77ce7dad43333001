using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// Makes the volumes of a checkout before the orchestrator, which makes every named volume at its start, and without a label: see
/// <see cref="CheckoutVolume"/>. And again before each start of a container, because somebody may have removed them; that is also when
/// the image is known that an <see cref="ImageFolder"/> is filled from.
/// </summary>
internal sealed class CheckoutVolumes(
    UvlhubEnvironment uvlhub, DistributedApplicationModel model, ResourceLoggerService loggers, ILoggerFactory console)
    : IDistributedApplicationEventingSubscriber, IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <inheritdoc/>
    public void Dispose() => _oneAtATime.Dispose();

    /// <inheritdoc/>
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            var containers = model.Resources.OfType<ContainerResource>()
                .Where(container => container.Annotations.OfType<VolumeMount>().Any()).ToList();
            eventing.Subscribe<BeforeStartEvent>(async (_, starting) =>
            {
                await Task.WhenAll(containers.Select(container => EnsureAsync(container, starting)));
                // Only now, after the ImageResolver, which brings the image.
                foreach (var container in containers)
                {
                    eventing.Subscribe<BeforeResourceStartedEvent>(container, async (_, again) =>
                    {
                        await EnsureAsync(container, again);
                        await FillAsync(container, again);
                    });
                }
            });
        }

        return Task.CompletedTask;
    }

    private async Task EnsureAsync(ContainerResource container, CancellationToken cancellationToken)
    {
        var volumes = new CheckoutVolume(uvlhub.Engine, loggers.GetLogger(container));
        foreach (var volume in container.Annotations.OfType<CheckoutVolumeMount>().ToList())
        {
            var mount = volume.Mount;
            var (name, isNew) = await volumes.EnsureAsync(
                mount.Source!, uvlhub.Checkout.Path, volume.IsNamedByUser, cancellationToken,
                mayBeginEmpty: !uvlhub.Profile.RequiresSecrets);
            if (isNew && volume.Made is { } made)
            {
                await made(name, cancellationToken);
            }

            volume.Use(container, name);
        }
    }

    private async Task FillAsync(ContainerResource container, CancellationToken cancellationToken)
    {
        var folders = container.Annotations.OfType<ImageFolderMount>().ToList();
        if (folders.Count == 0)
        {
            return;
        }

        ILogger[] logs = [loggers.GetLogger(container), console.CreateLogger("UvlhubAspire.Volumes")];
        // The others find it filled.
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            foreach (var folder in folders)
            {
                var target = folder.Mount.Target;
                var kept = new ImageFolder(
                    uvlhub.Engine, target, uvlhub.Names.ServiceVolume(target.Trim('/'), uvlhub.Checkout.Name), uvlhub.Checkout.Path);
                var images = model.Resources
                    .Where(other => other.Annotations.OfType<ImageFolderMount>().Any(same => same.Mount.Target == target))
                    .Select(Image);
                if (await kept.EnsureAsync(Image(container), images, logs, cancellationToken) is { } volume)
                {
                    folder.Use(container, volume);
                }
            }
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private static string Image(IResource container) => container.TryGetContainerImageName(out var image) ? image : "";
}

/// <summary>A mount whose volume only has its name when the container is started.</summary>
/// <param name="mount">The mount.</param>
internal abstract class VolumeMount(ContainerMountAnnotation mount) : IResourceAnnotation
{
    /// <summary>The mount, with the name that the volume has.</summary>
    public ContainerMountAnnotation Mount { get; private set; } = mount;

    /// <summary>Puts a volume in its place.</summary>
    public void Use(ContainerResource container, string volume)
    {
        if (volume != Mount.Source)
        {
            container.Annotations.Remove(Mount);
            Mount = new ContainerMountAnnotation(volume, Mount.Target, Mount.Type, Mount.IsReadOnly);
            container.Annotations.Add(Mount);
        }
    }
}

/// <summary>A mount of an <see cref="ImageFolder"/>.</summary>
/// <param name="mount">The mount.</param>
internal sealed class ImageFolderMount(ContainerMountAnnotation mount) : VolumeMount(mount);

/// <summary>A mount whose volume belongs to the checkout.</summary>
/// <param name="mount">The mount.</param>
/// <param name="isNamedByUser">Whether the user chose the volume's name, which is then taken as it is.</param>
/// <param name="made">Is told of a volume that was made now.</param>
internal sealed class CheckoutVolumeMount(ContainerMountAnnotation mount, bool isNamedByUser, Func<string, CancellationToken, Task>? made)
    : VolumeMount(mount)
{
    /// <summary>Whether the user chose the volume's name.</summary>
    public bool IsNamedByUser { get; } = isNamedByUser;

    /// <summary>Is told of a volume that was made now.</summary>
    public Func<string, CancellationToken, Task>? Made { get; } = made;
}
