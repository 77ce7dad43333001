using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>The variables that a compose file gives a service: those of its files, and its own.</summary>
internal static class ServiceVariables
{
    /// <summary>The variables of its files. The checkout's own file counts as it was settled, and not as it is written.</summary>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="service">The service.</param>
    /// <param name="missing">Takes a file that should be there and is not.</param>
    public static IReadOnlyList<IReadOnlyDictionary<string, string>> OfFiles(
        UvlhubEnvironment uvlhub, ComposeService service, Action<ComposeEnvironmentFile>? missing = null)
    {
        List<IReadOnlyDictionary<string, string>> files = [];
        foreach (var file in service.EnvironmentFiles)
        {
            if (uvlhub.Checkout.IsEnvironmentFile(file.Path))
            {
                // Where a checkout has only the example, that is what runs, and nothing is written into the checkout.
                files.Add(uvlhub.Checkout.Environment);
            }
            else if (file.Read() is { } variables)
            {
                files.Add(SecretKeys.WithoutWorkflows(variables));
            }
            else if (file.IsRequired)
            {
                missing?.Invoke(file);
            }
        }

        return files;
    }

    /// <summary>Its own variables. One without a value is passed on from the shell, else from the checkout.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Own(UvlhubEnvironment uvlhub, ComposeService service) =>
        from variable in service.Environment
        let value = variable.Value ?? PassedOn(uvlhub, variable.Name)
        where value is not null
        select new KeyValuePair<string, string>(variable.Name, value);

    /// <summary>A variable of the shell, else of the checkout; <see langword="null"/> if there is none.</summary>
    public static string? PassedOn(UvlhubEnvironment uvlhub, string name) =>
        Environment.GetEnvironmentVariable(name) ?? uvlhub.Checkout.Environment.GetValueOrDefault(name);
}
