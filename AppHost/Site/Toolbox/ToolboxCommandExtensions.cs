using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds the toolbox's commands.</summary>
internal static class ToolboxCommandExtensions
{
    /// <summary>
    /// Lets people run the checkout's tests from the dashboard, and with <c>aspire resource rosemary test</c>, where there
    /// is a test database: not in production.
    /// </summary>
    /// <param name="builder">The toolbox.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="server">The database server.</param>
    /// <param name="site">The address of the site on the containers' network, for tests that come from outside.</param>
    public static IResourceBuilder<FlaskResource> WithTestCommands(
        this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub, IResourceBuilder<MariaDBServerResource> server,
        string site) =>
        uvlhub.Profile.HasTestDatabase ? ToolboxCommands.Add(builder, uvlhub, server.Resource, site) : builder;
}
