using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace UvlhubAspire.TestSupport;

/// <summary>Waits for what becomes true by itself, until shortly before the test's own limit.</summary>
public static class Eventually
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    // In a fixture no test has a limit.
    private static readonly TimeSpan s_default = TimeSpan.FromMinutes(2);

    /// <summary>Asks until the answer is yes. A connection that is refused is a no: something is just starting.</summary>
    /// <param name="condition">The question.</param>
    /// <param name="limit">How long to ask. Default: until shortly before the test's limit.</param>
    /// <param name="what">What is waited for.</param>
    public static Task TrueAsync(
        Func<Task<bool>> condition, TimeSpan? limit = null, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        IsAsync(condition, answer => answer, limit, what);

    /// <summary>Asks until the answer is the one that is waited for, and returns it.</summary>
    /// <param name="question">Asks.</param>
    /// <param name="isIt">Whether this is the answer.</param>
    /// <param name="limit">How long to ask. Default: until shortly before the test's limit.</param>
    /// <param name="what">What is waited for.</param>
    public static async Task<T> IsAsync<T>(
        Func<Task<T>> question, Func<T, bool> isIt, TimeSpan? limit = null, [CallerArgumentExpression(nameof(isIt))] string what = "")
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (begun, time) = (Stopwatch.GetTimestamp(), limit ?? TestClockAttribute.Remaining ?? s_default);
        var last = "none yet";
        while (Stopwatch.GetElapsedTime(begun) < time)
        {
            try
            {
                // A question that is never answered must not keep the reason from being said.
                var answer = await question().WaitAsync(Positive(time - Stopwatch.GetElapsedTime(begun)), cancellation);
                if (isIt(answer))
                {
                    return answer;
                }

                last = $"{answer}";
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException or TimeoutException
                && !cancellation.IsCancellationRequested)
            {
                last = exception.Message;
            }

            await Task.Delay(s_pause, cancellation);
        }

        throw new TimeoutException($"waited {time.TotalSeconds:0} s in vain for: {what}\nThe last answer: {last}");
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.FromMilliseconds(1);
}
