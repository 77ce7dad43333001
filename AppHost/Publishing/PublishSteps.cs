// The pipeline is Aspire's own way to publish, and marked as subject to change. All of it that is used stands in this file:
// adding steps, the folder for what they write, and one line of progress for each.
#pragma warning disable ASPIREPIPELINES001, ASPIREPIPELINES004

using Aspire.Hosting.Pipelines;
using CliWrap;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>
/// What <c>aspire publish</c> and <c>aspire do</c> can do with the model: a step for each target, two for the site's images,
/// and one that draws it.
/// </summary>
internal static class PublishSteps
{
    /// <summary>Where Aspire's command line is told how a step goes; not set where the AppHost is run without it.</summary>
    public const string CommandLine = "ASPIRE_BACKCHANNEL_PATH";

    private static readonly IPublishTarget[] s_targets = [new ComposeTarget(), new SwarmTarget()];

    /// <summary>Adds the steps.</summary>
    public static void AddPublishSteps(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub)
    {
        foreach (var target in s_targets)
        {
            builder.Pipeline.AddStep(new PipelineStep
            {
                Name = $"publish-{target.Name}",
                Description = target.Description,
                Action = context => PublishAsync(target, uvlhub, context),
                RequiredBySteps = [WellKnownPipelineSteps.Publish],
            });
        }

        builder.AddSwarmSteps(uvlhub);
        builder.Pipeline.AddStep(new PipelineStep
        {
            Name = "draw-topology",
            Description = "Writes the model as a graph, topology.dot, for Graphviz.",
            Action = DrawAsync,
        });
        builder.Pipeline.AddStep(new PipelineStep
        {
            Name = "build-images",
            Description = "Builds the images that the published files name, as far as no registry has them.",
            Action = BuildAsync,
            RequiredBySteps = [WellKnownPipelineSteps.Build],
        });
        builder.Pipeline.AddStep(new PipelineStep
        {
            Name = "push-images",
            Description = "Pushes the site's images to the registry of Uvlhub:Publish:Registry.",
            Action = context => PushAsync(uvlhub, context),
            DependsOnSteps = ["build-images"],
            RequiredBySteps = [WellKnownPipelineSteps.Push],
        });
    }

    private static async Task PublishAsync(IPublishTarget target, UvlhubEnvironment uvlhub, PipelineStepContext context)
    {
        Refuse(uvlhub);
        var model = await new PublishedModelReader(uvlhub, context.ExecutionContext).ReadAsync(context.Model, context.CancellationToken);
        var folder = Path.Combine(context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory(), target.Name);
        foreach (var file in target.Write(model))
        {
            var path = Path.Combine(folder, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, file.Content, context.CancellationToken);
        }

        await context.ReportingStep.SucceedAsync(
            string.Join(Environment.NewLine, [$"{target.Name}: {folder}", .. target.Lacks(model), .. Unpublished(uvlhub)]), context.CancellationToken);
    }

    // A fork's own may need what stands beside its compose file, which does not leave this machine.
    private static IEnumerable<string> Unpublished(UvlhubEnvironment uvlhub) =>
        from service in uvlhub.Compose?.Services ?? []
        where !KnownServices.Names.Contains(service.Name) && uvlhub.Services.Includes(service.Name)
        select $"{service.Name}: only the compose file has it ({service.At}), and it is not published";

    private static async Task DrawAsync(PipelineStepContext context)
    {
        var folder = Directory.CreateDirectory(context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory()).FullName;
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "topology.dot"), TopologyDrawing.Write(context.Model), context.CancellationToken);
    }

    /// <summary>Builds the images that the published files name.</summary>
    internal static async Task BuildAsync(PipelineStepContext context)
    {
        var (chooser, builder) = (context.Services.GetRequiredService<ImageChooser>(), context.Services.GetRequiredService<ImageBuilder>());
        foreach (var container in PublishedModelReader.Containers(context.Model)
            .Where(container => container.HasAnnotationOfType<ContainerImage>()))
        {
            var choice = await chooser.ChooseAsync(container, context.CancellationToken);
            if (choice.Recipe is { } recipe)
            {
                await builder.EnsureAsync(recipe, context.Logger, context.CancellationToken);
            }
        }
    }

    /// <summary>Pushes those of the site.</summary>
    internal static async Task PushAsync(UvlhubEnvironment uvlhub, PipelineStepContext context)
    {
        if (string.IsNullOrEmpty(uvlhub.Options.Publish.Registry))
        {
            throw new DistributedApplicationException(
                "there is no registry to push to; set Uvlhub:Publish:Registry, such as ghcr.io/your-team");
        }

        var engine = context.Services.GetRequiredService<ContainerEngine>();
        var model = await new PublishedModelReader(uvlhub, context.ExecutionContext).ReadAsync(context.Model, context.CancellationToken);
        foreach (var image in model.Services.Select(service => service.Image).Where(image => image.IsSite).Distinct())
        {
            var tail = new OutputTail(line => ImageLog.BuildOutput(context.Logger, line));
            var pushed = await Cli.Wrap(engine.Executable)
                .WithArguments(["push", $"{image.Name}:{image.Tag}"])
                .WithStandardOutputPipe(PipeTarget.ToDelegate(tail.Add))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(tail.Add))
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(context.CancellationToken);
            if (pushed.ExitCode != 0)
            {
                throw new DistributedApplicationException($"{image.Name}:{image.Tag} was not pushed:{Environment.NewLine}{tail}");
            }
        }
    }

    private static void Refuse(UvlhubEnvironment uvlhub)
    {
        if (uvlhub.Images is null)
        {
            throw new DistributedApplicationException(
                $"{uvlhub.Profile.Name} runs the code of this machine's checkout and cannot leave it; publish Staging or Production "
                + $"({EnvironmentProfile.Setting})");
        }
    }
}
