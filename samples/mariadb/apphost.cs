#:sdk Aspire.AppHost.Sdk@13.6.4
#:package UvlhubAspire.Hosting.MariaDB@0.1.0

var builder = DistributedApplication.CreateBuilder(args);
var registry = builder.Configuration["Registry"] ?? "docker.io";

var mariadb = builder.AddMariaDB("mariadb").WithUser("shopkeeper").WithInitFiles("init").WithImageRegistry(registry);
var shop = mariadb.AddDatabase("shop");

builder.AddContainer("client", "library/mariadb", "12.0.2").WithImageRegistry(registry)
    .WithEntrypoint("sh")
    .WithArgs("-c", "MYSQL_PWD=$SHOP_PASSWORD mariadb -h $SHOP_HOST -u $SHOP_USERNAME $SHOP_DATABASENAME -e 'SELECT * FROM products'")
    .WithReference(shop)
    .WaitFor(shop);

builder.Build().Run();
