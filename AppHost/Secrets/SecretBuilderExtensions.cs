using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace UvlhubAspire.AppHost.Secrets;

/// <summary>Keeps secrets out of sight.</summary>
internal static class SecretBuilderExtensions
{
    /// <summary>Hands the secret variables of all containers over in files: see <see cref="SecretVariables"/>.</summary>
    /// <param name="builder">The application that is being built; what adds variables at the start has been added before.</param>
    public static void AddSecretVariables(this IDistributedApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SecretVariables>();
        builder.Services.AddSingleton<IDistributedApplicationEventingSubscriber>(services => services.GetRequiredService<SecretVariables>());
        builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredService<SecretVariables>());
    }
}
