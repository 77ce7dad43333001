// The topology of uvlhub: what the tutorial builds up by hand and its compose files declare. Each extension lives in the
// folder of its resource; settings are described in README.md.
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Flask;
using UvlhubAspire.AppHost.MariaDB;
using UvlhubAspire.AppHost.Migrator;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Restart;
using UvlhubAspire.AppHost.Uvlhub;

var builder = DistributedApplication.CreateBuilder(args);
var uvlhub = builder.AddUvlhub();

var db = builder.AddMariaDB("db", uvlhub.RootPassword)
    .WithUser(uvlhub.Checkout.DatabaseUser, uvlhub.UserPassword)
    .WithContainerName(uvlhub.Names.DatabaseContainer)
    .WithCheckoutEnvironment(uvlhub)
    .WithCheckoutVolume(uvlhub)
    .WithHostPort(uvlhub.Ports.Database)
    .WithAutomaticRestart();
var uvlhubdb = db.AddDatabase("uvlhubdb", uvlhub.Checkout.Database);
db.AddDatabase("uvlhubdb-test", uvlhub.Checkout.TestDatabase);

var rosemary = builder.AddToolbox("rosemary", uvlhub, uvlhubdb);
var migrator = builder.AddMigrator("migrator", uvlhub, uvlhubdb, rosemary);

builder.AddFlask("web", uvlhub, uvlhubdb)
    .WaitForCompletion(migrator);

builder.AddOtherComposeServices(uvlhub);

await builder.Build().RunAsync();
