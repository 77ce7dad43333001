using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.AppHost.Database;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Gives the database its volume.</summary>
internal static class DatabaseVolumeExtensions
{
    private const string Setting =
        $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Database)}:{nameof(UvlhubOptions.DatabaseOptions.Upgrade)}";

    /// <summary>
    /// Keeps the data in a volume of the checkout's own, labelled with the checkout's path, so that no two checkouts ever
    /// open each other's database: not the sample's and a real one's, not those of two clones with the same folder name.
    /// A volume that never became a database is made anew; one that an older server wrote is opened by a newer one only where the setting
    /// <c>Uvlhub:Database:Upgrade</c> says so, and then copied before. Comes after the stand-in is named.
    /// </summary>
    public static IResourceBuilder<MariaDBServerResource> WithCheckoutVolume(
        this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub)
    {
        if (!uvlhub.Profile.KeepsData)
        {
            return builder
                .WithAnnotation(new BeginsEmpty(() => true))
                .WithContainerRuntimeArgs("--tmpfs", MariaDBServerResource.DataFolder)
                .DiffersFromCompose(
                    DriftAspect.Volume, "the data of tests is in memory, and each start begins empty", MariaDBServerResource.DataFolder);
        }

        var (resource, eventing) = (builder.Resource, builder.ApplicationBuilder.Eventing);
        var image = resource.Annotations.OfType<ContainerImage>().Last();
        var name = uvlhub.Options.DataVolume ?? uvlhub.Names.DataVolume(uvlhub.Checkout.Name);
        var isNamedByUser = uvlhub.Options.DataVolume is not null;
        // Whether the volume was made in this run and no container has had it, and whether one has been started.
        var (isFresh, hasBegun) = (false, false);
        eventing.Subscribe<BeforeResourceStartedEvent>(resource, async (starting, cancellationToken) =>
        {
            // Every look costs a call of the engine, and this is on the way of each start.
            var needsLook = !isFresh && (DatabaseVolume.IsAnyNew(name) || uvlhub.Options.Database.Upgrade);
            (isFresh, hasBegun) = (false, true);
            if (!needsLook)
            {
                return;
            }

            var console = starting.Services.GetRequiredService<ILoggerFactory>().CreateLogger("UvlhubAspire.Database");
            var volume = await FindAsync(cancellationToken);
            if (!await volume.RemoveIfNeverUsedAsync(console, cancellationToken) && uvlhub.Options.Database.Upgrade
                && await OlderAsync(volume, cancellationToken) is var (_, newer) && !await volume.HasCopyAsync(newer, cancellationToken))
            {
                await volume.CopyAsync(newer, console, cancellationToken);
            }
        });
        builder.WithCheckoutVolume(
            name, MariaDBServerResource.DataFolder, isNamedByUser: isNamedByUser,
            made: (own, cancellationToken) =>
            {
                isFresh = !hasBegun;
                return new DatabaseVolume(uvlhub.Engine, own, image: null).MarkNewAsync(cancellationToken);
            });
        builder.WithAnnotation(new StartsAnew(async cancellationToken =>
            DatabaseVolume.IsAnyNew(name) && await (await FindAsync(cancellationToken)).WasNeverUsedAsync(cancellationToken)));
        builder.WithAnnotation(new BeginsEmpty(() => DatabaseVolume.IsAnyNew(name)));
        eventing.Subscribe<ResourceReadyEvent>(resource, async (_, cancellationToken) =>
        {
            resource.TryGetContainerImageName(out var server);
            await (await FindAsync(cancellationToken)).MarkUsedAsync(server!, cancellationToken);
        });
        if (uvlhub.Options.Database.Upgrade)
        {
            // Once, and by the image's own entrypoint: its tables are then those of the newer server.
            builder.WithEnvironment("MARIADB_AUTO_UPGRADE", "1");
        }

        return builder.WithAnnotation(
            image with { HeldBack = uvlhub.Options.Database.Upgrade ? null : HeldBackAsync }, ResourceAnnotationMutationBehavior.Replace);

        async Task<string?> HeldBackAsync(CancellationToken cancellationToken)
        {
            var volume = await FindAsync(cancellationToken);
            return await OlderAsync(volume, cancellationToken) is var (older, newer) && !await volume.HasCopyAsync(newer, cancellationToken)
                ? $"because the volume {volume.Name} holds data of MariaDB {older}, which cannot go back once {newer} has opened it; "
                    + $"{Setting}=true copies the volume and moves to {newer}"
                : null;
        }

        // The versions of the volume and of the image, if the image's is the newer one.
        async Task<(Version Older, Version Newer)?> OlderAsync(DatabaseVolume volume, CancellationToken cancellationToken) =>
            resource.TryGetContainerImageName(out var server) && !await volume.WasUsedByAsync(server, cancellationToken)
            && DatabaseVolume.Parse(server[(server.LastIndexOf(':') + 1)..]) is { } newer
            && await volume.VersionAsync(cancellationToken) is { } older && older < newer
                ? (older, newer)
                : null;

        async Task<DatabaseVolume> FindAsync(CancellationToken cancellationToken)
        {
            resource.TryGetContainerImageName(out var current);
            var standIn = image.StandInRecipe!.Image;
            var here = await uvlhub.Engine.HasImageAsync(standIn, cancellationToken) ? standIn : current;
            var own = await new CheckoutVolume(uvlhub.Engine, NullLogger.Instance).NameAsync(
                name, uvlhub.Checkout.Path, isNamedByUser, cancellationToken);
            return new DatabaseVolume(uvlhub.Engine, own, here);
        }
    }
}
