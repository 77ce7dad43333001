using System.Diagnostics;

namespace UvlhubAspire.Runner;

/// <summary>The runner's own traces, which the Aspire dashboard shows beside Polly's.</summary>
internal static class Telemetry
{
    public const string Name = "UvlhubRunner";

    private static readonly ActivitySource s_source = new(Name);

    /// <summary>Starts the span of one step.</summary>
    /// <param name="operation">What it does to the database; none if <see langword="null"/>.</param>
    public static Activity? Step(string name, string? operation = null)
    {
        var activity = s_source.StartActivity(name, operation is null ? ActivityKind.Internal : ActivityKind.Client);
        if (operation is not null)
        {
            activity?.SetTag("db.system", "mariadb").SetTag("db.operation.name", operation);
        }

        return activity;
    }
}
