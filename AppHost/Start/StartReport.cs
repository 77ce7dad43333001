using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Start;

/// <summary>
/// What this project says on the console, written into a file as well until the start has ended: <c>./run --detach</c>, whose AppHost
/// has no terminal, shows it as it comes and ends when it does.
/// </summary>
/// <param name="file">The file; it is there.</param>
internal sealed class StartReport(string file) : ILoggerProvider
{
    private const string Category = "UvlhubAspire";
    private readonly Lock _lock = new();
    private bool _hasEnded;

    /// <summary>Writes how the start has ended, as the last line.</summary>
    /// <param name="address">Where the site answers; <see langword="null"/> if it does not come up.</param>
    /// <param name="dashboard">Where the dashboard does.</param>
    public void End(string? address, string? dashboard = null)
    {
        Write(address is null ? "#failed" : $"#ready {address} {dashboard}");
        lock (_lock)
        {
            _hasEnded = true;
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Lines(this, categoryName.StartsWith(Category, StringComparison.Ordinal));

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Write(string text)
    {
        lock (_lock)
        {
            // Who waited has gone, with the file.
            if (!_hasEnded && File.Exists(file))
            {
                File.AppendAllText(file, text + Environment.NewLine);
            }
        }
    }

    private sealed class Lines(StartReport report, bool isOurs) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isOurs && logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                report.Write(formatter(state, exception));
            }
        }
    }
}
