using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Restart;

public sealed class RestartPolicyTests
{
    private static readonly RestartPolicy s_policy = new();
    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0.5)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 4)]
    public void The_first_restart_comes_at_once_and_each_further_one_in_a_row_waits_twice_as_long(int restarts, double seconds) =>
        Assert.Equal(
            new RestartDecision(RestartStep.Restart, restarts + 1, TimeSpan.FromSeconds(seconds)), s_policy.Decide(Death(137), restarts));

    [Fact]
    public void The_pause_has_a_longest_length() =>
        Assert.Equal(s_policy.LongestDelay, (s_policy with { Limit = 100 }).Decide(Death(1), 40).Delay);

    [Fact]
    public void A_crash_loop_is_given_up_at_the_limit() =>
        Assert.Equal(RestartStep.GiveUp, s_policy.Decide(Death(1), s_policy.Limit).Step);

    [Fact]
    public void A_run_that_was_long_enough_starts_the_count_anew() =>
        Assert.Equal(
            new RestartDecision(RestartStep.Restart, 1, TimeSpan.Zero), s_policy.Decide(Death(1, s_policy.StableAfter), s_policy.Limit));

    [Theory]
    [InlineData(0)]
    [InlineData(137)]
    public void What_was_stopped_by_hand_stays_stopped(int exitCode) =>
        Assert.Equal(RestartStep.StayStopped, s_policy.Decide(Death(exitCode) with { StoppedByHand = true }, 0).Step);

    [Fact]
    public void A_service_that_ends_without_an_error_is_started_again_too() =>
        Assert.Equal(RestartStep.Restart, s_policy.Decide(Death(0), 0).Step);

    [Theory]
    [InlineData(0, RestartStep.Finished)]
    [InlineData(1, RestartStep.Restart)]
    internal void A_job_is_started_again_only_after_a_failure(int exitCode, RestartStep expected) =>
        Assert.Equal(expected, (s_policy with { OnlyAfterFailure = true }).Decide(Death(exitCode), 0).Step);

    private static ContainerDeath Death(int exitCode, TimeSpan? ran = null) =>
        new("teamA_web_app_container", exitCode, OutOfMemory: false, s_start, s_start + (ran ?? TimeSpan.FromSeconds(1)));
}
