using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Restart;

/// <summary>What <see cref="RestartPolicyTests"/> leaves open: the whole of a decision, its order, and the defaults.</summary>
public sealed class RestartPolicyDecisionTests
{
    private static readonly RestartPolicy s_job = new() { OnlyAfterFailure = true };

    [Fact]
    public void The_defaults_are_those_that_the_documentation_names()
    {
        var policy = new RestartPolicy();
        Assert.Equal(
            (5, false, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(10)),
            (policy.Limit, policy.OnlyAfterFailure, policy.FirstDelay, policy.LongestDelay, policy.StableAfter));
    }

    [Theory]
    [InlineData(4, RestartStep.Restart, 5, 4)]
    [InlineData(5, RestartStep.GiveUp, 5, 0)]
    [InlineData(6, RestartStep.GiveUp, 6, 0)]
    internal void At_the_limit_nothing_is_waited_for_and_the_restarts_are_said(int restarts, RestartStep step, int said, double seconds) =>
        Assert.Equal(new RestartDecision(step, said, TimeSpan.FromSeconds(seconds)), new RestartPolicy().Decide(Death(1), restarts));

    [Theory]
    [InlineData(599.999, RestartStep.GiveUp)]
    [InlineData(600, RestartStep.Restart)]
    internal void Only_a_run_of_the_whole_time_starts_the_count_anew(double seconds, RestartStep step) =>
        Assert.Equal(step, new RestartPolicy().Decide(Death(1, seconds), 5).Step);

    [Fact]
    public void What_was_stopped_by_hand_stays_stopped_whatever_else_it_is() =>
        Assert.All(
            [s_job.Decide(Death(0) with { StoppedByHand = true }, 9), s_job.Decide(Death(1) with { StoppedByHand = true }, 9)],
            decision => Assert.Equal(new RestartDecision(RestartStep.StayStopped, 0, TimeSpan.Zero), decision));

    [Fact]
    public void A_job_that_has_done_its_work_at_the_limit_has_finished() =>
        Assert.Equal(new RestartDecision(RestartStep.Finished, 0, TimeSpan.Zero), s_job.Decide(Death(0), 5));

    private static ContainerDeath Death(int exitCode, double seconds = 1) =>
        new("web_app_container", exitCode, OutOfMemory: false, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddSeconds(seconds));
}
