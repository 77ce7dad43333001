using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Builds an image anew while everything runs: after a change of <c>requirements.txt</c> or of a Dockerfile.</summary>
public static class ImageCommands
{
    private const string Everything = "everything";
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(0.5);
    private static readonly string?[] s_onTheWay =
        [KnownResourceStates.Starting, KnownResourceStates.Stopping, RestartSupervisor.RestartingState];

    /// <summary>Adds <c>rebuild-image</c>: builds the container's image and restarts every container that runs it.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithRebuildCommand<T>(this IResourceBuilder<T> builder)
        where T : ContainerResource =>
        builder.WithCommand("rebuild-image", "Rebuild image", context => RebuildAsync(builder.Resource, context), new CommandOptions
        {
            Description = "Build the image anew, and restart the containers that run it",
            IconName = "BoxArrowUp",
            Arguments =
            [
                new InteractionInput
                {
                    Name = Everything,
                    Label = "Every step",
                    Description = "Also those whose inputs have not changed, to get newer packages; takes minutes",
                    InputType = InputType.Boolean,
                    Value = "false",
                },
            ],
            Progress = new CommandProgressOptions { Message = "Building; the log shows its output" },
        });

    private static async Task<ExecuteCommandResult> RebuildAsync(ContainerResource container, ExecuteCommandContext context)
    {
        if (!container.TryGetLastAnnotation<BuiltImage>(out var image))
        {
            container.TryGetContainerImageName(out var name);
            return CommandResults.Failure(
                $"rebuild-image: {name} is not built here, it comes from a registry: 'docker pull {name}' gets a newer one");
        }

        try
        {
            var effort = bool.TryParse(context.Optional(Everything), out var everything) && everything
                ? BuildEffort.FromScratch
                : BuildEffort.WhatChanged;
            await context.Services.GetRequiredService<ImageBuilder>()
                .EnsureAsync(image.Recipe, context.Logger, context.CancellationToken, effort);
        }
        catch (ImageException exception)
        {
            return CommandResults.Failure(
                "rebuild-image: the build failed; the containers run what they ran",
                new CommandResultData { Value = exception.Message, DisplayImmediately = true });
        }

        var commands = context.Services.GetRequiredService<ResourceCommandService>();
        var sharing = context.Services.GetRequiredService<DistributedApplicationModel>().Resources.OfType<ContainerResource>()
            .Where(other => other.TryGetLastAnnotation<BuiltImage>(out var built) && built.Recipe.Image == image.Recipe.Image)
            .ToList();
        var up = await Task.WhenAll(sharing.Select(other => IsUpAsync(other, context.Services, context.CancellationToken)));
        var running = sharing.Zip(up).Where(pair => pair.Second).Select(pair => pair.First).ToList();
        var restarts = await Task.WhenAll(running.Select(async other =>
            (
                other.Name,
                Result: await commands.ExecuteCommandAsync(other, KnownResourceCommands.RestartCommand, context.CancellationToken))));
        var failed = restarts.Where(restart => !restart.Result.Success).Select(restart => $"{restart.Name}: {restart.Result.Message}")
            .ToList();
        return failed.Count > 0
            ? CommandResults.Failure(
                $"rebuild-image: {image.Recipe.Image} is built, but not every container could be restarted: {string.Join("; ", failed)}")
            : CommandArguments.Answer(
                "rebuild-image: done",
                $"{image.Recipe.Image} is built; restarted {string.Join(", ", running.Select(other => other.Name))}");
    }

    // One that is on its way from one state to another may have got its container before the image was built, and its state may tell of the
    // container before that: whether there is one that runs, the engine knows. Restarting what does not get anywhere says what is wrong.
    private static async Task<bool> IsUpAsync(ContainerResource container, IServiceProvider services, CancellationToken cancellationToken)
    {
        var (notifications, engine) =
            (services.GetRequiredService<ResourceNotificationService>(), services.GetRequiredService<ContainerEngine>());
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var state = notifications.TryGetCurrentState(container.Name, out var now) ? now.Snapshot.State?.Text : null;
            if (state == KnownResourceStates.Running || waited.Elapsed > s_settling)
            {
                return true;
            }

            var (found, _) = await engine.InspectAsync("container", container.ContainerName()!, cancellationToken);
            if (!s_onTheWay.Contains(state) && found?.State?.Status is not ("created" or "running" or "restarting"))
            {
                return false;
            }

            await Task.Delay(s_pause, cancellationToken);
        }
    }
}
