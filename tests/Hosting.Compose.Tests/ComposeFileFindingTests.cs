using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Compose.Tests;

/// <summary>What is said of something in a compose file that cannot be read or taken over: the whole sentence, and where.</summary>
public sealed class ComposeFileFindingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("volumes: [ \"lost:/data\" ]", "volumes: the volume lost is not declared under the top level's volumes")]
    [InlineData("networks: [ default, lost ]", "networks: the network lost is not declared under the top level's networks")]
    [InlineData("depends_on: [ nobody ]", "depends_on: there is no service nobody")]
    [InlineData("depends_on: { nobody: { condition: service_started, required: false } }", null)]
    [InlineData("environment: { A: { b: c } }", "environment: expected a single value, found keys with values")]
    [InlineData("environment: { A: [ b ] }", "environment: expected a single value, found a list")]
    [InlineData("environment: [ =A ]", null)]
    [InlineData("cap_add: { a: b }", "cap_add: expected a list, found keys with values")]
    [InlineData("healthcheck: [ a ]", "healthcheck: expected keys with values, found a list")]
    [InlineData("healthcheck: soon", "healthcheck: expected keys with values, found 'soon'")]
    [InlineData("healthcheck: { test: a, retries: often }", "retries: expected a whole number, found 'often'")]
    [InlineData("healthcheck: { test: a, retries: }", null)]
    [InlineData("init: perhaps", "init: expected true or false, found 'perhaps'")]
    [InlineData("init: ~", null)]
    [InlineData("hostname: null", null)]
    [InlineData("hostname: Null", null)]
    [InlineData("hostname: NULL", null)]
    [InlineData("<<: [ a ]", "web: '<<' merges keys with values, not 'a'")]
    [InlineData("<<: [ [ a ] ]", "web: '<<' merges keys with values, not a list")]
    [InlineData("hostname: !reset a", "hostname: !reset is not understood; the key is read as if it stood without")]
    [InlineData("hostname: !override a", "hostname: !override is not understood; the key is read as if it stood without")]
    [InlineData("hostname: !!str a", null)]
    [InlineData("extends: web", "extends: web extends itself")]
    [InlineData("extends: { file: compose.yaml }", "extends: names no service")]
    [InlineData("extends: { service: nobody }", "extends: {0} has no service nobody")]
    [InlineData("extends: { file: nowhere.yml, service: web }", "extends: there is no file {1}")]
    public void What_is_wrong_with_a_service_is_said_with_its_line(string key, string? problem) =>
        Says(4, problem, Read($"services:\n  web:\n    image: web\n    {key}\n"));

    [Theory]
    [InlineData("volumes: { data: { driver: local } }", null)]
    [InlineData("volumes: { data: { labels: [ a ], x-mine: b } }", null)]
    [InlineData("volumes: { data: { driver_opts: { type: nfs } } }", "volumes.data.driver_opts: not taken over; the volume is an ordinary one")]
    [InlineData("volumes: [ data ]", "volumes: expected keys with values, found a list")]
    [InlineData("volumes: { data: a }", "data: expected keys with values, found 'a'")]
    [InlineData("networks: { front: { ipam: a } }", "ipam: expected keys with values, found 'a'")]
    [InlineData("networks: { front: { ipam: { config: { subnet: a } } } }", "ipam.config: expected a list, found keys with values")]
    [InlineData("networks: { front: { ipam: { config: [ a ] } } }", "ipam.config: expected keys with values, found 'a'")]
    [InlineData("networks: { front: { ipam: { config: [ { subnet: [ a ] } ] } } }", "subnet: expected a single value, found a list")]
    [InlineData("secrets: { token: { file: [ a ] } }", "secrets: expected a single value, found a list")]
    [InlineData("secrets: { token: { external: true } }", null)]
    [InlineData("include: [ other.yml ]", "include: included files are not read; what they declare is missing")]
    [InlineData("servics: {}", "servics: no key of a compose file that is known; is it misspelt?")]
    [InlineData("version: \"3\"\nmodels: {}\nconfigs: {}", null)]
    public void What_is_wrong_with_the_rest_of_the_file_is_said_with_its_line(string keys, string? problem) =>
        Says(4, problem, Read($"services:\n  web:\n    image: web\n{keys}\n"));

    [Fact]
    public void A_service_with_neither_image_nor_build_is_not_run() =>
        Says(2, "image: the service has neither an image nor a build", Read("services:\n  web:\n    init: true\n"), isFatal: true);

    [Theory]
    [InlineData("local", null)]
    [InlineData("nfs", "nfs")]
    public void The_engines_own_driver_is_none(string driver, string? read)
    {
        var volume = Assert.Single(Read($"services:\n  web: {{ image: web }}\nvolumes: {{ data: {{ driver: {driver} }} }}\n").Volumes);
        Assert.Equal((read, false), (volume.Driver, volume.IsExternal));
    }

    [Fact]
    public void Networks_of_two_files_are_all_there_and_the_later_declaration_counts()
    {
        var first = _folder.Write("first.yml", "services:\n  web: { image: a }\nnetworks: { one: , two: }\n");
        var second = _folder.Write("second.yml", "services:\n  web: { image: a }\nnetworks: { two: { internal: true }, three: }\n");
        Assert.Equal(
            [("one", false), ("two", true), ("three", false)],
            ComposeFile.Read(first, _ => null, second).Networks.Select(network => (network.Name, network.IsInternal)));
    }

    [Theory]
    [InlineData(32, false)]
    [InlineData(33, true)]
    public void Anchors_merge_as_deep_as_anybody_nests_them(int levels, bool isTooDeep)
    {
        var anchors = Enumerable.Range(1, levels).Select(level => $"x-{level}: &a{level} {{ <<: *a{level - 1} }}\n");
        var text = $"x-0: &a0 {{ image: web }}\n{string.Concat(anchors)}services:\n  web: *a{levels}\n";
        if (!isTooDeep)
        {
            Assert.Equal("web", Read(text).Service("web")!.Image);
            return;
        }

        Assert.Equal($"{File}:1: 'web' is nested in itself through an anchor", Assert.Throws<UserErrorException>(() => Read(text)).Message);
    }

    [Theory]
    [InlineData("services:\n  web: *unknown\n", 2, "The anchor 'unknown' does not exists")]
    [InlineData("services:\n  web:\n    image: a\n    image: b\n", 4, "Duplicate key image")]
    public void Why_it_is_no_yaml_is_said_without_the_parsers_own_position(string text, int line, string reason)
    {
        var message = Assert.Throws<UserErrorException>(() => Read(text)).Message;
        Assert.Equal($"{File}:{line}: this is not valid YAML: {reason}", message);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named_with_the_reason()
    {
        var folder = Directory.CreateDirectory(File).FullName;
        Assert.StartsWith(
            $"{folder}: cannot be read: ", Assert.Throws<UserErrorException>(() => ComposeFile.Read(folder, _ => null)).Message,
            StringComparison.Ordinal);
    }

    private string File => Path.Combine(_folder.Path, "compose.yaml");

    private void Says(int line, string? problem, ComposeFile file, bool? isFatal = null)
    {
        if (problem is null)
        {
            Assert.Empty(file.Findings);
            return;
        }

        var finding = Assert.Single(file.Findings);
        Assert.Equal(
            $"{File}:{line}: {problem.Replace("{0}", File, StringComparison.Ordinal).Replace("{1}", Path.Combine(_folder.Path, "nowhere.yml"), StringComparison.Ordinal)}",
            $"{finding.At}: {finding.Subject}: {finding.Problem}");
        Assert.True(isFatal is null || finding.IsFatal == isFatal);
    }

    private ComposeFile Read(string text) => ComposeFile.Read(_folder.Write("compose.yaml", text), _ => null);
}
