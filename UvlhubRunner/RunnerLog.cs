using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace UvlhubAspire.Runner;

/// <summary>
/// One line per event, time first and nothing else in front: what a person follows in a shell and in the dashboard's
/// console view. The structured form goes out over OTLP.
/// </summary>
internal sealed class RunnerLog() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "runner";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var level = logEntry.LogLevel switch
        {
            LogLevel.Warning => "warning: ",
            LogLevel.Error or LogLevel.Critical => "error: ",
            _ => "",
        };
        textWriter.WriteLine($"{DateTime.Now:HH:mm:ss} {level}{logEntry.Formatter(logEntry.State, logEntry.Exception)}");
        if (logEntry.Exception is { } exception)
        {
            textWriter.WriteLine(exception);
        }
    }
}
