using UvlhubAspire.AppHost.Flask;
using UvlhubAspire.AppHost.MariaDB;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Worker;

/// <summary>Adds the process that does the site's work in the background.</summary>
internal static class WorkerBuilderExtensions
{
    /// <summary>
    /// Adds the RQ worker: the site's image, mounts and environment with the checkout's own entrypoint for it. It waits for
    /// the queue and for the schema.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name; also the service's.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database.</param>
    /// <param name="redis">The queue.</param>
    /// <param name="migrator">What brings the schema up to date.</param>
    /// <returns>The worker's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<FlaskResource>? AddWorker(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database,
        IResourceBuilder<ContainerResource>? redis,
        IResourceBuilder<IResource> migrator)
    {
        if (!uvlhub.Services.Includes(name) || redis is null)
        {
            return null;
        }

        string[] command = [.. uvlhub.Compose?.Service(name)?.Command ?? ["bash", $"{uvlhub.Checkout.WorkingDirectory}/docker/entrypoints/worker_entrypoint.sh"]];
        ScriptLines.Check(uvlhub.Checkout, command);
        return builder.AddCheckoutContainer(new FlaskResource(name) { Role = FlaskRole.Worker }, uvlhub, database)
            .WithServiceContainerName(uvlhub, "rq_worker_container")
            .WithArgs(command)
            .WaitFor(redis)
            .WaitForCompletion(migrator)
            .WithIconName("ClipboardTaskList");
    }
}
