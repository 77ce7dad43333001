using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Start;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Start;

/// <summary>A key that stands twice in <c>.env</c>, up to what the console says of it.</summary>
public sealed class RepeatedKeyTests
{
    [Fault(FaultArea.Checkout, ".env has a key twice")]
    [Fact(Timeout = 60_000)]
    public async Task The_last_of_a_repeated_key_counts_and_a_warning_names_its_line()
    {
        using var folder = new TemporaryFolder();
        Edition.Load(Edition.Course).WriteCheckout(folder);
        var path = folder.Write(".env", "A=1\nB=2\nA=3\n");
        var checkout = UvlhubCheckout.Read(folder.Path);
        Proof.Happens("the last one counts", () => Assert.Equal("3", checkout.Environment["A"]));

        var log = await StartAsync(checkout);
        Proof.Happens("a warning names its line", () => Assert.Equal(
            [$"A stands more than once in {path}; the last one, in line 3, counts"],
            log.Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text)));
        Proof.Reads("A stands more than once", string.Join('\n', log.Lines.Select(line => line.Text)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_value_that_only_a_workflow_fills_in_is_nobodys_and_a_warning_names_its_line()
    {
        using var folder = new TemporaryFolder();
        Edition.Load(Edition.Course).WriteCheckout(folder);
        var path = folder.Write(".env", "A=1\nWEBHOOK_TOKEN=${{ secrets.WEBHOOK_TOKEN }}\n");
        var checkout = UvlhubCheckout.Read(folder.Path);
        Assert.Equal([new("A", "1")], checkout.Environment);

        var warnings = (await StartAsync(checkout)).Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text);
        Assert.Equal(
            [
                $"{path}:2: WEBHOOK_TOKEN is ${{{{ secrets.WEBHOOK_TOKEN }}}}, which only a workflow of GitHub's can fill in, so nobody is given "
                    + "it. Write its value there, or delete the line",
            ],
            warnings);
    }

    private static async Task<CollectedLog> StartAsync(UvlhubCheckout checkout)
    {
        var log = new CollectedLog();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        var eventing = new DistributedApplicationEventing();
        await new ReadyAnnouncement(loggers, checkout, new ServiceCollection().BuildServiceProvider()).SubscribeAsync(
            eventing, new DistributedApplicationExecutionContext(
                DistributedApplicationOperation.Run), TestContext.Current.CancellationToken);
        await eventing.PublishAsync(
            new BeforeStartEvent(new ServiceCollection().BuildServiceProvider(), new DistributedApplicationModel([])),
            TestContext.Current.CancellationToken);
        return log;
    }

    /// <summary>What is logged, where a console would show it.</summary>
    private sealed class CollectedLog : ILoggerProvider, ILogger
    {
        public List<(LogLevel Level, string Text)> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add((logLevel, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
