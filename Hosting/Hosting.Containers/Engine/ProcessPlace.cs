namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Where processes have the numbers that they have here: the machine since its last start, and on Linux the namespace. An engine may be
/// shared by several such places: by way of its socket in a container, of <c>DOCKER_HOST</c>, of two distributions of WSL.
/// </summary>
public static class ProcessPlace
{
    /// <summary>The label of containers that says where their AppHost runs.</summary>
    public const string Label = "uvlhub-aspire.apphost-place";

    private const string Start = "/proc/sys/kernel/random/boot_id";
    private const string Namespace = "/proc/self/ns/pid";

    /// <summary>This process's.</summary>
    public static string Current { get; } = File.Exists(Start)
        ? $"{File.ReadAllText(Start).Trim()} {new FileInfo(Namespace).LinkTarget}"
        : Environment.MachineName;

    /// <summary>Labels every container with it.</summary>
    /// <param name="builder">The application that is being built.</param>
    public static void LabelContainers(this IDistributedApplicationBuilder builder) =>
        builder.Eventing.Subscribe<BeforeStartEvent>((start, _) =>
        {
            foreach (var container in start.Model.Resources.OfType<ContainerResource>())
            {
                container.Annotations.Add(new ContainerRuntimeArgsCallbackAnnotation(arguments =>
                {
                    arguments.Add("--label");
                    arguments.Add($"{Label}={Current}");
                }));
            }

            return Task.CompletedTask;
        });
}
