// The pipeline is Aspire's own way to deploy, and marked as subject to change.
#pragma warning disable ASPIREPIPELINES001, ASPIREPIPELINES004, ASPIREINTERACTION001

using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>What <c>aspire deploy</c> and <c>aspire destroy</c> do: the stack, in the swarm of the engine.</summary>
internal static class SwarmSteps
{
    private const string Prepare = "prepare-swarm";
    private const string Build = "build-swarm";
    private const string Push = "push-swarm";
    private const string Migrate = "migrate-swarm";
    private const string Up = "up-swarm";

    /// <summary>Adds the steps.</summary>
    public static void AddSwarmSteps(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub)
    {
        // Nothing of it asks for Aspire's own preparation: that would keep passwords in a file in the user's folder.
        Add(
            Prepare, "Looks whether the swarm can take the stack, and makes the secrets that it lacks.",
            (swarm, context) => swarm.PrepareAsync(context.CancellationToken), []);
        Add(Build, "Builds the images that the swarm lacks.", (_, context) => PublishSteps.BuildAsync(context), [Prepare]);
        var hasRegistry = !string.IsNullOrEmpty(uvlhub.Options.Publish.Registry);
        if (hasRegistry)
        {
            Add(Push, "Pushes them to the registry.", (_, context) => PublishSteps.PushAsync(uvlhub, context), [Build]);
        }

        Add(
            Migrate, "Runs the migrator of the new version; nothing else is updated before it has succeeded.",
            async (swarm, context) => await context.ReportingStep.SucceedAsync(
                await swarm.MigrateAsync(context.CancellationToken), context.CancellationToken),
            [$"publish-{SwarmTarget.Id}", hasRegistry ? Push : Build]);
        Add(Up, "Updates the stack, new containers first, and waits until everything runs.", UpAsync, [Migrate], WellKnownPipelineSteps.Deploy);
        Add(
            "destroy-swarm", "Takes the stack out of the swarm; its volumes and secrets stay.", DestroyAsync, [],
            WellKnownPipelineSteps.Destroy);
        Add("history-swarm", "Lists what was deployed.", HistoryAsync, []);
        Add(
            "rollback-swarm", "Goes back to the version of Uvlhub:Version that was deployed before, and to its schema.",
            (swarm, context) => RollBackAsync(swarm, uvlhub.Options.Version, context), []);

        void Add(
            string name, string description, Func<SwarmDeployment, PipelineStepContext, Task> action, List<string> dependsOn,
            string? requiredBy = null) => builder.Pipeline.AddStep(new PipelineStep
            {
                Name = name,
                Description = description,
                Action = async context => await action(await ReadAsync(uvlhub, context), context),
                DependsOnSteps = dependsOn,
                RequiredBySteps = requiredBy is null ? [] : [requiredBy],
            });
    }

    private static async Task<SwarmDeployment> ReadAsync(UvlhubEnvironment uvlhub, PipelineStepContext context) => new(
        uvlhub,
        await new PublishedModelReader(uvlhub, context.ExecutionContext).ReadAsync(context.Model, context.CancellationToken),
        Path.Combine(context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory(), SwarmTarget.Id),
        context.Logger);

    private static async Task UpAsync(SwarmDeployment swarm, PipelineStepContext context)
    {
        var changes = await swarm.UpdateAsync(context.CancellationToken);
        var addresses = await swarm.AddressesAsync(context.CancellationToken);
        context.Summary.Add("Changed", changes.Count == 0 ? "nothing" : string.Join("; ", changes));
        context.Summary.Add("Site", string.Join(", ", addresses));
        await context.ReportingStep.SucceedAsync(
            string.Join(Environment.NewLine, [.. changes.DefaultIfEmpty("nothing has changed"), .. addresses]), context.CancellationToken);
    }

    private static async Task HistoryAsync(SwarmDeployment swarm, PipelineStepContext context)
    {
        var history = string.Join(
            Environment.NewLine, SwarmHistory.Describe(await swarm.Deployments.History.ReadAsync(context.CancellationToken)));
        // Without Aspire's command line nobody shows what a step succeeds with.
        await Console.Out.WriteLineAsync(history);
        await context.ReportingStep.SucceedAsync(history, context.CancellationToken);
    }

    private static async Task RollBackAsync(SwarmDeployment swarm, string? version, PipelineStepContext context)
    {
        if (string.IsNullOrEmpty(version))
        {
            throw new DistributedApplicationException(
                "say which version: -- --Uvlhub:Version=VERSION; 'aspire do history-swarm' lists those that there were");
        }

        var plan = await swarm.Deployments.PlanReturnAsync(version, keepsDatabase: false, context.CancellationToken);
        var question = await swarm.Deployments.DescribeAsync(plan, context.CancellationToken);
        await ConfirmAsync(context, $"Go back to {plan.Target.Version}?", question, "Go back", "goes back");
        var changes = await swarm.Deployments.ReturnAsync(plan, SwarmDeployment.Person, context.CancellationToken);
        await context.ReportingStep.SucceedAsync(
            string.Join(Environment.NewLine, changes.DefaultIfEmpty("nothing has changed")), context.CancellationToken);
    }

    private static async Task DestroyAsync(SwarmDeployment swarm, PipelineStepContext context)
    {
        await ConfirmAsync(
            context, "Take the stack away?", "The site ends. Its rows, uploads, snapshots and secrets stay in the swarm.", "Take it away",
            "takes the stack away");
        await swarm.RemoveAsync(context.CancellationToken);
    }

    private static async Task ConfirmAsync(PipelineStepContext context, string title, string question, string yes, string does)
    {
        if (context.Services.GetRequiredService<IOptions<PipelineOptions>>().Value.SkipConfirmation)
        {
            return;
        }

        var people = context.Services.GetRequiredService<IInteractionService>();
        // Without Aspire's command line the question would wait for ever.
        if (!people.IsAvailable || context.Services.GetRequiredService<IConfiguration>()[PublishSteps.CommandLine] is null)
        {
            throw new DistributedApplicationException($"nobody is there to be asked: --yes {does} without asking. {question}");
        }

        var answer = await people.PromptNotificationAsync(
            title, question,
            new NotificationInteractionOptions
            {
                Intent = MessageIntent.Confirmation,
                ShowSecondaryButton = true,
                ShowDismiss = false,
                PrimaryButtonText = yes,
                SecondaryButtonText = "Leave it",
            },
            context.CancellationToken);
        if (answer.Canceled || !answer.Data)
        {
            throw new DistributedApplicationException("the stack was left as it is");
        }
    }
}
