using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using UvlhubRunner;
using UvlhubRunner.Migration;

// Settings are ordinary .NET configuration and look the same for the AppHost: --Uvlhub:Path=… may stand anywhere.
var settings = args.Where(argument => argument.StartsWith("--Uvlhub:", StringComparison.OrdinalIgnoreCase)).ToArray();

Task<int> MigrateAsync(CancellationToken cancellationToken) => Verb.RunAsync(
    settings, logToError: false, (services, token) => services.GetRequiredService<Migrator>().MigrateAsync(token), cancellationToken);

var root = new RootCommand("Brings the database of a uvlhub checkout to the checkout's newest revision, without losing a row.");
root.SetAction((_, cancellationToken) => MigrateAsync(cancellationToken));

var migrate = new Command("migrate", "Upgrade the database to the checkout's head, and seed it if it was empty (the default).");
migrate.SetAction((_, cancellationToken) => MigrateAsync(cancellationToken));
root.Subcommands.Add(migrate);

return await root.Parse(args.Except(settings).ToArray()).InvokeAsync();
