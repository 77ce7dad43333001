using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Waits for what becomes true by itself; the test's own time limit ends it.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Asks until the answer is yes. A connection that is refused is a no: something is just starting.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        var cancellation = TestContext.Current.CancellationToken;
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                // Not yet.
            }

            await Task.Delay(s_pause, cancellation);
        }
    }
}
