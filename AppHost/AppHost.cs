var builder = DistributedApplication.CreateBuilder(args);
builder.AddProject<Projects.UvlhubRunner>("migrator");
builder.Build().Run();
