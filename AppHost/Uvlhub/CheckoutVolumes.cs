using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// Makes the volumes of a checkout before the orchestrator, which makes every named volume at its start, and without a label: see
/// <see cref="CheckoutVolume"/>. And again before each start of a container, because somebody may have removed them.
/// </summary>
internal sealed class CheckoutVolumes(UvlhubEnvironment uvlhub, DistributedApplicationModel model, ResourceLoggerService loggers)
    : IDistributedApplicationEventingSubscriber
{
    /// <inheritdoc/>
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            var containers = model.Resources.OfType<ContainerResource>()
                .Where(container => container.HasAnnotationOfType<CheckoutVolumeMount>()).ToList();
            eventing.Subscribe<BeforeStartEvent>(
                (_, starting) => Task.WhenAll(containers.Select(container => EnsureAsync(container, starting))));
            foreach (var container in containers)
            {
                eventing.Subscribe<BeforeResourceStartedEvent>(container, (_, starting) => EnsureAsync(container, starting));
            }
        }

        return Task.CompletedTask;
    }

    private async Task EnsureAsync(ContainerResource container, CancellationToken cancellationToken)
    {
        var volumes = new CheckoutVolume(uvlhub.Engine, loggers.GetLogger(container));
        foreach (var volume in container.Annotations.OfType<CheckoutVolumeMount>())
        {
            var mount = volume.Mount;
            var (name, isNew) = await volumes.EnsureAsync(mount.Source!, uvlhub.Checkout.Path, volume.IsNamedByUser, cancellationToken);
            if (isNew && volume.Made is { } made)
            {
                await made(name, cancellationToken);
            }

            if (name != mount.Source)
            {
                container.Annotations.Remove(mount);
                volume.Mount = new ContainerMountAnnotation(name, mount.Target, mount.Type, mount.IsReadOnly);
                container.Annotations.Add(volume.Mount);
            }
        }
    }
}

/// <summary>A mount whose volume belongs to the checkout.</summary>
/// <param name="mount">The mount.</param>
/// <param name="isNamedByUser">Whether the user chose the volume's name, which is then taken as it is.</param>
/// <param name="made">Is told of a volume that was made now.</param>
internal sealed class CheckoutVolumeMount(ContainerMountAnnotation mount, bool isNamedByUser, Func<string, CancellationToken, Task>? made)
    : IResourceAnnotation
{
    /// <summary>The mount, with the name that the volume has.</summary>
    public ContainerMountAnnotation Mount { get; set; } = mount;

    /// <summary>Whether the user chose the volume's name.</summary>
    public bool IsNamedByUser { get; } = isNamedByUser;

    /// <summary>Is told of a volume that was made now.</summary>
    public Func<string, CancellationToken, Task>? Made { get; } = made;
}
