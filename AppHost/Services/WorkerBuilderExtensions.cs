using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Adds the process that does the site's work in the background.</summary>
internal static class WorkerBuilderExtensions
{
    /// <summary>The RQ worker, on the site's image.</summary>
    public static KnownService Worker { get; } = new("worker", "rq_worker_container") { Needs = RedisBuilderExtensions.Redis.Name };

    /// <summary>
    /// Adds the RQ worker: the site's image, mounts and environment with the checkout's own entrypoint for it. It waits for
    /// the queue and for the schema.
    /// </summary>
    /// <returns>The worker's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<FlaskResource>? AddWorker(
        this IDistributedApplicationBuilder builder,
        UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database,
        IResourceBuilder<ContainerResource>? redis,
        IResourceBuilder<IResource> migrator)
    {
        if (!uvlhub.Services.Includes(Worker.Name) || redis is null)
        {
            return null;
        }

        var declared = uvlhub.Compose?.Service(Worker.Name);
        string[] command =
        [
            .. declared?.Command ?? ["bash", $"{uvlhub.Checkout.WorkingDirectory}/docker/entrypoints/worker_entrypoint.sh"],
        ];
        ScriptLines.Check(uvlhub.Checkout, command);
        var worker = builder.AddCheckoutContainer(new FlaskResource(Worker.Name) { Role = FlaskRole.Worker }, uvlhub, database);
        if (uvlhub.Images is not null && declared is not null)
        {
            // The code is in the image, but not under the name that the file gives to the script.
            foreach (var script in declared.Mounts.Where(
                mount => File.Exists(mount.Source) && !EngineSocket.Is(mount.Source) && command.Any(word => word.Contains(mount.Target, StringComparison.Ordinal))))
            {
                ScriptLines.Check(uvlhub.Checkout, [Path.GetRelativePath(uvlhub.Checkout.Path, script.Source!)]);
                worker.WithCheckoutMount(script.Source!, script.Target, isReadOnly: true)
                    .DiffersFromCompose(DriftAspect.Volume, "the worker only reads what it runs", "read-only");
            }
        }

        return worker
            .WithServiceContainerName(uvlhub, Worker.Container)
            .WithArgs(command)
            .WaitFor(redis)
            .WaitForCompletion(migrator)
            .WithIconName("ClipboardTaskList");
    }
}
