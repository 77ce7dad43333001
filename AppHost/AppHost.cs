// The topology of uvlhub: what the tutorial builds up by hand and its compose files declare. Each extension lives in
// one of the rooms beside this file; settings are described in README.md.

var builder = UvlhubApplication.CreateBuilder(args);
var uvlhub = builder.AddUvlhub();

var db = builder.AddMariaDB("db", uvlhub.RootPassword)
    .WithUser(uvlhub.Checkout.DatabaseUser, uvlhub.UserPassword)
    .WithContainerName(uvlhub.Names.DatabaseContainer)
    .WithCheckoutEnvironment(uvlhub)
    .WithCheckoutVolume(uvlhub)
    .WithHostPort(uvlhub)
    .WithAutomaticRestart()
    .WithClientCommand();
var uvlhubdb = db.AddDatabase("uvlhubdb", uvlhub.Checkout.Database);
db.AddTestDatabase("uvlhubdb-test", uvlhub);
db.RunElsewhere(uvlhub);

var rosemary = builder.AddToolbox("rosemary", uvlhub, uvlhubdb);
var migrator = builder.AddMigrator("migrator", uvlhub, uvlhubdb, rosemary);
builder.AddBackups("backup", uvlhub, uvlhubdb, rosemary, migrator);

var web = builder.AddFlask("web", uvlhub, uvlhubdb)
    .WaitForCompletion(migrator);

// Each of these is there if the checkout's compose file declares it, or Uvlhub:Services asks for it.
var nginx = builder.AddNginx(uvlhub);
builder.AddCertificates("certbot", uvlhub, nginx);
builder.AddUpdater(uvlhub, nginx);
var site = nginx is null ? $"http://web:{uvlhub.Profile.SitePort}" : "http://nginx";
var redis = builder.AddRedisStore(uvlhub);
builder.AddWorker(uvlhub, uvlhubdb, redis, migrator);
builder.AddElasticsearchNode(uvlhub);
builder.AddMailhog(uvlhub);
var grid = builder.AddSeleniumHub(uvlhub);
builder.AddSeleniumChrome(uvlhub, grid);
builder.AddSeleniumFirefox(uvlhub, grid);
web.WithSeleniumGrid(grid, site);
rosemary.WithSeleniumGrid(grid, site);
rosemary.WithTestCommands(uvlhub, db, site);
builder.AddLocust(uvlhub, site);
builder.AddAdminer(uvlhub, db);
builder.AddOtherComposeServices(uvlhub);

await builder.Build().RunToEndAsync();
