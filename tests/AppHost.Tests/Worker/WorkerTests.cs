using Xunit;

namespace UvlhubAspire.AppHost.Tests.Worker;

public sealed class WorkerTests
{
    [Fact]
    public async Task It_is_the_sites_container_with_the_checkouts_own_command()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso);
        var (worker, web) = (await model.FactsAsync("worker"), await model.FactsAsync("web"));
        Assert.Equal(["bash", "-c", "bash /workspace/docker/entrypoints/worker_entrypoint.sh"], worker.Arguments);
        Assert.Equal(web.Image, worker.Image);
        Assert.Equal(web.Environment["REDIS_URL"], worker.Environment["REDIS_URL"]);
        Assert.Equal(model.Folder, worker.Mounts.Single(mount => mount.Target == "/workspace").Source);
    }

    [Fact]
    public async Task It_waits_for_the_queue_and_the_schema()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso);
        Assert.Equal(["redis (WaitUntilHealthy)", "migrator (WaitForCompletion)"], model.Waits("worker"));
    }

    [Fact]
    public async Task A_checkout_that_does_not_declare_it_runs_its_entrypoint_script()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Services=+redis,+worker");
        Assert.Equal(["bash", "/app/docker/entrypoints/worker_entrypoint.sh"], (await model.FactsAsync("worker")).Arguments);
    }

    [Fact]
    public async Task In_production_it_has_the_script_under_the_name_that_its_command_gives_it()
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Diverso,
            folder =>
            {
                folder.Write(".env.production", "FLASK_ENV=production\nREDIS_URL=redis://redis:6379\n");
                folder.Write("docker/entrypoints/worker_entrypoint.sh", "exec python docker/redis/worker.py\n");
            },
            "--Uvlhub:Environment=Production", "--Uvlhub:Secrets=generated");
        var worker = await model.FactsAsync("worker");
        Assert.Equal(["bash", "-c", "bash /workspace/entrypoint.sh"], worker.Arguments);
        var script = worker.Mounts.Single(mount => mount.Target == "/workspace/entrypoint.sh");
        Assert.Equal((Path.Combine(model.Folder, "docker/entrypoints/worker_entrypoint.sh"), true), (script.Source, script.IsReadOnly));
        Assert.DoesNotContain((await model.FactsAsync("web")).Mounts, mount => mount.Target == "/workspace/entrypoint.sh");
    }
}
