using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Checkout.Tests;

public sealed class SettingsReaderTests
{
    private const string Time = "a time such as 00:05:00, which is five minutes";

    private static readonly List<(string Name, PropertyInfo Property)> s_settings = [.. Properties("Uvlhub", typeof(UvlhubOptions))];

    [Fact]
    public void Every_setting_has_a_name_and_nothing_else_has() =>
        Assert.Equal(
            s_settings.Select(setting => setting.Name).Order(StringComparer.Ordinal), SettingsReader.Names.Order(StringComparer.Ordinal));

    // A property that the generated code passes over would keep its default.
    [Fact]
    public void Every_setting_can_be_set()
    {
        Assert.True(s_settings.Count > 30);
        Assert.All(s_settings, setting =>
        {
            var before = Value(new UvlhubOptions(), setting.Name);
            Assert.NotEqual(before, Value(SettingsReader.Read(Configuration([(setting.Name, Another(setting.Property))])), setting.Name));
        });
    }

    [Theory]
    [InlineData("Uvlhub:Servces", "Uvlhub:Services")]
    [InlineData("Uvlhub:Services:0", "Uvlhub:Services")]
    [InlineData("Uvlhub:Certificate:Emial", "Uvlhub:Certificate:Email")]
    [InlineData("Uvlhub:Workers", "Uvlhub:Gunicorn:Workers")]
    [InlineData("Uvlhub:Snapshots", "Uvlhub:Snapshots:Path")]
    [InlineData("Uvlhub:Migrator:Timeout", "Uvlhub:Gunicorn:Timeout")]
    public void A_key_that_is_no_setting_is_an_error_with_the_nearest_one(string key, string nearest) =>
        Assert.Equal($"{key} is not a setting; did you mean {nearest}?", Refusal(Configuration([(key, "x")])));

    [Theory]
    [InlineData("Uvlhub:Deploy:Pull", "'dotnet aspire deploy' deploys the checkout")]
    [InlineData("Uvlhub:Deploy:Image", "Uvlhub:Updates:CheckEvery has it follow them")]
    [InlineData("Uvlhub:Deploy:Webhook", "answers it: Uvlhub:Updates:Webhook")]
    [InlineData("Uvlhub:Tls:Email", "it is Uvlhub:Certificate:Email now")]
    [InlineData("Uvlhub:Tls:RenewBefore", "certbot renews by itself")]
    public void What_was_a_setting_once_is_refused_with_what_takes_its_place(string key, string now)
    {
        var refused = Refusal(Configuration([(key, "x")]));
        Assert.StartsWith($"{key} is no setting any more; ", refused, StringComparison.Ordinal);
        Assert.Contains(now, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_like_none_leads_to_the_list_of_all() =>
        Assert.Equal("Uvlhub:Zxqy is not a setting; README.md lists them", Refusal(Configuration([("Uvlhub:Zxqy", "x")])));

    [Fact]
    public void Where_a_wrong_setting_stands_is_said()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("secrets.json", """{ "Uvlhub": { "Publish": { "Nam": "x" } } }""");
        var variable = $"UVLHUB_TEST_{Guid.NewGuid():N}_";
        Environment.SetEnvironmentVariable($"{variable}Uvlhub__Snapshots__Keep", "few");
        try
        {
            var configuration = new ConfigurationManager();
            configuration.AddJsonFile(file).AddEnvironmentVariables(variable).AddCommandLine(["--Uvlhub:Servces=+adminer"]);
            Assert.Equal(
                [
                    $"Uvlhub:Publish:Nam is not a setting; did you mean Uvlhub:Publish:Name? ({file})",
                    "Uvlhub:Servces is not a setting; did you mean Uvlhub:Services? (on the command line)",
                    "Uvlhub:Snapshots:Keep must be a number from 1; it is 'few' (the environment variable Uvlhub__Snapshots__Keep)",
                ],
                Refusal(configuration).Split(Environment.NewLine).Order(StringComparer.Ordinal));
        }
        finally
        {
            Environment.SetEnvironmentVariable($"{variable}Uvlhub__Snapshots__Keep", null);
        }
    }

    [Theory]
    [InlineData("Uvlhub:Debug", "yes", "true or false")]
    [InlineData("Uvlhub:Pip:Day", "2025-02-30", "auto, none or a day such as 2025-09-23")]
    [InlineData("Uvlhub:Debug", "", "true or false")]
    [InlineData("Uvlhub:Secrets", "random", "given or generated")]
    [InlineData("Uvlhub:Secrets", "1", "given or generated")]
    [InlineData("Uvlhub:OpenTo", "everybody", "loopback or network")]
    [InlineData("Uvlhub:Images", "docker", "auto, registry or debian")]
    [InlineData("Uvlhub:Instance", "team a", "a name of letters, digits, '_', '.' and '-' that begins with a letter or a digit")]
    [InlineData("Uvlhub:Instance", "-a", "a name of letters, digits, '_', '.' and '-' that begins with a letter or a digit")]
    [InlineData("Uvlhub:Instance", "equipo/á", "a name of letters, digits, '_', '.' and '-' that begins with a letter or a digit")]
    [InlineData("Uvlhub:DataVolume", "/srv/data", "a name of letters, digits, '_', '.' and '-' that begins with a letter or a digit")]
    [InlineData("Uvlhub:Certificate:Email", "me", "an e-mail address")]
    [InlineData("Uvlhub:Certificate:Authority", "http://a.org", "the https address of an ACME directory")]
    [InlineData("Uvlhub:Patience", "0", $"{Time}, longer than 0 and no longer than 49 days")]
    [InlineData("Uvlhub:Migrator:FlaskTimeout", "60", $"{Time}, longer than 0 and no longer than 49 days")]
    [InlineData("Uvlhub:Updates:CheckEvery", "5m", $"{Time}, no longer than 49 days")]
    [InlineData("Uvlhub:Gunicorn:Workers", "0", "a number from 1")]
    [InlineData("Uvlhub:Database:Port", "65536", "a port from 1 to 65535")]
    [InlineData("Uvlhub:Ports:Web", "-1", "a port from 1 to 65535, or 0 for any free one")]
    [InlineData("Uvlhub:Ports:probe:8080", "65536", "a port from 1 to 65535, or 0 for any free one")]
    public void A_value_that_a_setting_does_not_take_is_an_error_with_what_it_takes(string setting, string value, string words) =>
        Assert.Equal($"{setting} must be {words}; it is '{value}'", Refusal(Configuration([(setting, value)])));

    [Fact]
    public void What_is_empty_is_not_set()
    {
        string[] empty = ["Instance", "Certificate:Email", "Certificate:Authority", "Gunicorn:Workers", "Ports:Web", "Images", "Path"];
        var options = SettingsReader.Read(Configuration([.. empty.Select(name => ($"Uvlhub:{name}", ""))]));
        Assert.Null(options.Gunicorn.Workers);
        Assert.Empty(options.Ports);
    }

    [Fact]
    public void Names_and_choices_are_read_whatever_their_case()
    {
        var options = SettingsReader.Read(Configuration(
            [("uvlhub:OPENTO", "Network"), ("Uvlhub:Images", "Debian"), ("Uvlhub:ports:web", "1"), ("Uvlhub:Ports:probe:80", "2")]));
        Assert.Equal((Audience.Network, "Debian", 1, 2), (options.OpenTo, options.Images, options.Ports["Web"], options.Ports["probe:80"]));
    }

    private static string Refusal(IConfiguration configuration) =>
        Assert.Throws<UserErrorException>(() => SettingsReader.Read(configuration)).Message;

    private static ConfigurationManager Configuration(IEnumerable<(string Name, string Value)> settings)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
        return configuration;
    }

    private static IEnumerable<(string Name, PropertyInfo Property)> Properties(string prefix, Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.Name != nameof(UvlhubOptions.Ports))
            .SelectMany(property => property.PropertyType.DeclaringType == typeof(UvlhubOptions)
                ? Properties($"{prefix}:{property.Name}", property.PropertyType)
                : [($"{prefix}:{property.Name}", property)]);

    private static object? Value(object options, string name) => name.Split(':').Skip(1)
        .Aggregate((object?)options, (value, part) => value!.GetType().GetProperty(part)!.GetValue(value));

    // A value that is allowed and that is no setting's default.
    private static string Another(PropertyInfo setting) => setting.Name switch
    {
        nameof(UvlhubOptions.Images) => "debian",
        nameof(UvlhubOptions.CertificateOptions.Email) => "a@a.org",
        nameof(UvlhubOptions.CertificateOptions.Authority) => "https://a.org/dir",
        nameof(UvlhubOptions.Telemetry) or nameof(UvlhubOptions.Dashboard) or nameof(UvlhubOptions.DatabaseOptions.VerifyServer) => "false",
        nameof(UvlhubOptions.BackupOptions.Repository) => "/another",
        nameof(UvlhubOptions.PipOptions.Day) => "2025-09-23",
        _ when setting.PropertyType == typeof(bool) => "true",
        _ when setting.PropertyType == typeof(string) => "another",
        _ when setting.PropertyType == typeof(TimeSpan) => "00:01:07",
        _ when setting.PropertyType.IsEnum => Enum.GetNames(setting.PropertyType)[^1],
        _ => 77.ToString(CultureInfo.InvariantCulture),
    };
}
