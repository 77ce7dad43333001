// The topology of uvlhub: what the tutorial builds up by hand and its compose files declare. Each extension lives in the
// folder of its resource; settings are described in README.md.
using UvlhubAspire.AppHost.Adminer;
using UvlhubAspire.AppHost.Certificates;
using UvlhubAspire.AppHost.Commands;
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Deployment;
using UvlhubAspire.AppHost.Elasticsearch;
using UvlhubAspire.AppHost.Flask;
using UvlhubAspire.AppHost.Locust;
using UvlhubAspire.AppHost.Mailhog;
using UvlhubAspire.AppHost.MariaDB;
using UvlhubAspire.AppHost.Migrator;
using UvlhubAspire.AppHost.Nginx;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Redis;
using UvlhubAspire.AppHost.Restart;
using UvlhubAspire.AppHost.Selenium;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.AppHost.Worker;

var builder = DistributedApplication.CreateBuilder(args);
var uvlhub = builder.AddUvlhub();

var db = builder.AddMariaDB("db", uvlhub.RootPassword)
    .WithUser(uvlhub.Checkout.DatabaseUser, uvlhub.UserPassword)
    .WithContainerName(uvlhub.Names.DatabaseContainer)
    .WithCheckoutEnvironment(uvlhub)
    .WithCheckoutVolume(uvlhub)
    .WithHostPort(uvlhub)
    .WithAutomaticRestart()
    .WithExternalServer(uvlhub)
    .WithClientCommand();
var uvlhubdb = db.AddDatabase("uvlhubdb", uvlhub.Checkout.Database);
if (uvlhub.Profile.HasTestDatabase)
{
    db.AddDatabase("uvlhubdb-test", uvlhub.Checkout.TestDatabase);
}

var rosemary = builder.AddToolbox("rosemary", uvlhub, uvlhubdb);
var migrator = builder.AddMigrator("migrator", uvlhub, uvlhubdb, rosemary);

var web = builder.AddFlask("web", uvlhub, uvlhubdb)
    .WaitForCompletion(migrator);

// Each of these is there if the checkout's compose file declares it, or Uvlhub:Services asks for it.
var nginx = builder.AddNginx("nginx", uvlhub);
builder.AddCertificates("certbot", uvlhub, nginx);
web.WithDeployment(uvlhub, uvlhubdb, migrator, nginx);
var site = nginx is null ? $"http://web:{uvlhub.Profile.SitePort}" : "http://nginx";
var redis = builder.AddRedisStore("redis", uvlhub);
builder.AddWorker("worker", uvlhub, uvlhubdb, redis, migrator);
builder.AddElasticsearchNode("elasticsearch", uvlhub);
builder.AddMailhog("mailhog", uvlhub);
var grid = builder.AddSeleniumHub("selenium-hub", uvlhub);
builder.AddSeleniumNode("selenium-chrome", uvlhub, "chrome", grid, uvlhub.Ports.Chrome);
builder.AddSeleniumNode("selenium-firefox", uvlhub, "firefox", grid, uvlhub.Ports.Firefox);
web.WithSeleniumGrid(grid, site);
rosemary.WithSeleniumGrid(grid, site);
rosemary.WithTestCommands(uvlhub, db, site);
builder.AddLocust("locust", uvlhub, site);
builder.AddAdminer("adminer", uvlhub, db);
builder.AddOtherComposeServices(uvlhub);

await builder.Build().RunAsync();
