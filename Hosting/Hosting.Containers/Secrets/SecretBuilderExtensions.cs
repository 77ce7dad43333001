using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UvlhubAspire.Hosting.Containers;

namespace Aspire.Hosting;

/// <summary>Keeps secrets out of sight.</summary>
public static class SecretBuilderExtensions
{
    /// <summary>Hands the secret variables of all containers over in files: see <see cref="SecretVariables"/>.</summary>
    /// <param name="builder">The application that is being built; what adds variables at the start has been added before.</param>
    /// <param name="looksSecret">Whether a variable's value must not be seen, by its name and its value.</param>
    public static void AddSecretVariables(this IDistributedApplicationBuilder builder, LooksSecret looksSecret)
    {
        builder.Services.AddSingleton(looksSecret);
        builder.Services.AddSingleton(
            services => ActivatorUtilities.CreateInstance<SecretVariables>(services, SecretVariables.Folder));
        builder.Services.AddSingleton<IDistributedApplicationEventingSubscriber>(
            services => services.GetRequiredService<SecretVariables>());
        builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredService<SecretVariables>());
    }
}
