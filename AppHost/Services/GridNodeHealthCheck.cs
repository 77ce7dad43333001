using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.AppHost.Services;

/// <summary>Healthy means: the hub knows a node with this browser.</summary>
/// <param name="hub">Where the hub answers; resolved once its port is known.</param>
/// <param name="browser">The browser's name.</param>
internal sealed class GridNodeHealthCheck(Func<Uri> hub, string browser) : IHealthCheck
{
    private static readonly HttpClient s_client = new() { Timeout = TimeSpan.FromSeconds(10) };

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return Knows(await s_client.GetStringAsync(new Uri(hub(), "/status"), cancellationToken), browser)
                ? HealthCheckResult.Healthy($"the hub has a node with {browser}")
                : HealthCheckResult.Unhealthy($"the hub has no node with {browser} yet");
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"the hub cannot be asked: {exception.Message}");
        }
    }

    /// <summary>Reads the hub's answer: <c>value.nodes[].slots[].stereotype.browserName</c>, of nodes that are up.</summary>
    internal static bool Knows(string status, string browser)
    {
        using var document = JsonDocument.Parse(status);
        return document.RootElement.TryGetProperty("value", out var value)
            && Items(value, "nodes")
                .Where(node => !node.TryGetProperty("availability", out var availability) || availability.GetString() == "UP")
                .SelectMany(node => Items(node, "slots"))
                .Any(slot => slot.TryGetProperty("stereotype", out var stereotype)
                    && stereotype.TryGetProperty("browserName", out var name)
                    && string.Equals(name.GetString(), browser, StringComparison.OrdinalIgnoreCase));
    }

    private static IEnumerable<JsonElement> Items(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];
}
