namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// Services whose image no registry has, each with one that waits until it is healthy: the start of an AppHost that has
/// one never ends.
/// </summary>
internal static class Nowhere
{
    /// <summary>The image of such a service.</summary>
    public static string ImageOf(string service) => $"127.0.0.1:1/{service}:1";

    /// <summary>The service that waits for it.</summary>
    public static string WaitingFor(string service) => $"waits-for-{service}";

    /// <summary>Declares such services.</summary>
    /// <param name="checkout">The checkout.</param>
    /// <param name="composeFile">The compose file in its folder <c>docker</c>.</param>
    /// <param name="services">Their names.</param>
    /// <returns>An image that has what they run, to be given their names.</returns>
    public static async Task<string> AddAsync(SampleCheckout checkout, string composeFile, params string[] services)
    {
        var image = await TestContainer.EnsureImageAsync("redis");
        var file = checkout.File($"docker/{composeFile}");
        var declared = string.Concat(services.Select(service => $$"""

              {{service}}:
                image: {{ImageOf(service)}}
                entrypoint: [ sleep, infinity ]
                healthcheck: { test: [ CMD, "true" ], interval: 1s }
              {{WaitingFor(service)}}:
                image: {{image}}
                entrypoint: [ sleep, infinity ]
                depends_on: { {{service}}: { condition: service_healthy } }

            """));
        await File.WriteAllTextAsync(
            file, (await File.ReadAllTextAsync(file)).Replace("services:\n", $"services:\n{declared}", StringComparison.Ordinal));
        return image;
    }
}
