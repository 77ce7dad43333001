namespace UvlhubAspire.AppHost.Preflight;

/// <summary>A port on the host's loopback address that a setting chooses.</summary>
/// <param name="Setting">The setting's full name, for the message when the port is taken.</param>
internal sealed record HostPort(string Setting) : IResourceAnnotation
{
    /// <summary>0 in a setting means: any free port, which Aspire calls no port.</summary>
    public static int? OrAny(int port) => port == 0 ? null : port;
}

/// <summary>Names the settings of host ports.</summary>
internal static class HostPortExtensions
{
    /// <summary>Says which setting chooses this resource's port on the host.</summary>
    /// <typeparam name="T">The kind of resource.</typeparam>
    /// <param name="builder">The resource.</param>
    /// <param name="setting">The setting's full name.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithHostPortSetting<T>(this IResourceBuilder<T> builder, string setting)
        where T : IResourceWithEndpoints =>
        builder.WithAnnotation(new HostPort(setting));
}
