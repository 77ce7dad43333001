using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What has reached the dashboard, read through its telemetry API, as <c>aspire otel</c> does.</summary>
internal sealed class Dashboard : IDisposable
{
    private readonly HttpClient _client;

    private Dashboard(HttpClient client) => _client = client;

    public static async Task<Dashboard> OpenAsync(Uvlhub uvlhub, CancellationToken cancellationToken) => Open(
        new Uri(await uvlhub.DashboardLoginUrlAsync(cancellationToken)),
        uvlhub.App.Services.GetRequiredService<IConfiguration>()["AppHost:DashboardApiKey"]!);

    /// <summary>Opens one anywhere.</summary>
    /// <param name="login">Any address of the dashboard.</param>
    /// <param name="key">The key of its API.</param>
    public static Dashboard Open(Uri login, string key)
    {
        var client = new HttpClient { BaseAddress = new Uri(login, "/") };
        client.DefaultRequestHeaders.Add("X-API-Key", key);
        return new Dashboard(client);
    }

    /// <summary>Waits until one of a resource's spans is as wanted; the test's own time-out ends the wait.</summary>
    public Task<Span> SpanAsync(
        string resource, Func<Span, bool> wanted, CancellationToken cancellationToken,
        [CallerArgumentExpression(nameof(wanted))] string what = "") =>
        FirstAsync(() => SpansAsync(resource, cancellationToken), wanted, what);

    /// <summary>All spans of a resource until now.</summary>
    public async Task<IReadOnlyList<Span>> SpansAsync(string resource, CancellationToken cancellationToken)
    {
        using var answer = await GetAsync($"api/telemetry/spans?limit=5000&resource={resource}", cancellationToken);
        return
        [
            .. Nested(answer.RootElement, "resourceSpans", "scopeSpans", "spans").Select(span => new Span(
                span.GetProperty("name").GetString()!,
                span.GetProperty("traceId").GetString()!,
                span.GetProperty("spanId").GetString()!,
                span.TryGetProperty("parentSpanId", out var parent) ? parent.GetString() : null,
                span.TryGetProperty("status", out var status) && status.TryGetProperty("code", out var code) ? code.ToString() : "",
                Attributes(span))),
        ];
    }

    /// <summary>Waits until a resource has sent a log record as wanted.</summary>
    public Task<LogRecord> LogRecordAsync(
        string resource, Func<LogRecord, bool> wanted, CancellationToken cancellationToken,
        [CallerArgumentExpression(nameof(wanted))] string what = "") =>
        FirstAsync(() => LogRecordsAsync(resource, cancellationToken), wanted, what);

    public void Dispose() => _client.Dispose();

    private async Task<IReadOnlyList<LogRecord>> LogRecordsAsync(string resource, CancellationToken cancellationToken)
    {
        using var answer = await GetAsync($"api/telemetry/logs?limit=5000&resource={resource}", cancellationToken);
        return
        [
            .. Nested(answer.RootElement, "resourceLogs", "scopeLogs", "logRecords").Select(record => new LogRecord(
                record.GetProperty("body").GetProperty("stringValue").GetString() ?? "",
                record.TryGetProperty("traceId", out var trace) ? trace.GetString() : null)),
        ];
    }

    private static async Task<T> FirstAsync<T>(Func<Task<IReadOnlyList<T>>> read, Func<T, bool> wanted, string what) =>
        (await Eventually.IsAsync(read, all => all.Any(wanted), what: what)).First(wanted);

    private async Task<JsonDocument> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await _client.GetAsync(path, cancellationToken);
        if (answer.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            // Nothing of this resource has arrived yet.
            return JsonDocument.Parse("{}");
        }

        answer.EnsureSuccessStatusCode();
        return await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
    }

    // OTLP's JSON: an array in an array in an array.
    private static IEnumerable<JsonElement> Nested(JsonElement root, params string[] levels)
    {
        var data = root.TryGetProperty("data", out var inner) ? inner : root;
        return levels.Aggregate<string, IEnumerable<JsonElement>>(
            [data],
            (elements, level) =>
                elements.SelectMany(
                    element => element.TryGetProperty(level, out var array) ? array.EnumerateArray() : Enumerable.Empty<JsonElement>()));
    }

    private static Dictionary<string, string> Attributes(JsonElement span) =>
        span.TryGetProperty("attributes", out var attributes)
            ? attributes.EnumerateArray().ToDictionary(
                attribute => attribute.GetProperty("key").GetString()!,
                attribute => attribute.GetProperty("value").EnumerateObject().First().Value.ToString())
            : [];
}

internal sealed record Span(
    string Name, string TraceId, string SpanId, string? ParentSpanId, string Status, IReadOnlyDictionary<string, string> Attributes)
{
    public string? this[string attribute] => Attributes.GetValueOrDefault(attribute);
}

internal sealed record LogRecord(string Text, string? TraceId);
