using System.Text.Json.Nodes;
using YamlDotNet.RepresentationModel;

namespace UvlhubAspire.TestSupport;

/// <summary>The facts of one edition of uvlhub, and a checkout made of them.</summary>
public sealed class Edition
{
    public const string Course = "egc2526-v1.0.0";
    public const string Splent = "egcetsii-main-2026-07";
    public const string Diverso = "diverso-lab-v2.9";

    private readonly JsonNode _facts;

    private Edition(JsonNode facts) => _facts = facts;

    /// <summary>Reads them.</summary>
    /// <param name="name">One of the names above.</param>
    public static Edition Load(string name) =>
        new(JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Editions", $"{name}.json")))!);

    public IEnumerable<string> EnvironmentKeys => Strings(_facts["env_examples"]![".env.docker.example"]!);

    public IEnumerable<string> BaseImages => Strings(Development["from"]!);

    public IEnumerable<string> Revisions =>
        _facts["migrations"]!.AsArray().Select(revision => revision!["file"]!.GetValue<string>()).Order(StringComparer.Ordinal);

    public JsonObject Compose(string file) => _facts["compose"]![file]!.AsObject();

    public IEnumerable<string> ComposeFiles => _facts["compose"]!.AsObject().Select(file => file.Key);

    private JsonNode Development => _facts["dockerfiles"]!["Dockerfile.dev"]!;

    /// <summary>Writes what a reader can see of this edition: settings, Dockerfiles, compose files, entrypoint, revisions.</summary>
    public void WriteCheckout(TemporaryFolder folder)
    {
        folder.Write("app/__init__.py", "");
        folder.Write(".env.docker.example", string.Concat(EnvironmentKeys.Select(key => $"{key}={Value(key)}\n")));
        WriteComposeFiles(folder);
        folder.Write("docker/images/Dockerfile.dev", $"""
            FROM {BaseImages.Single()}
            {string.Join('\n', Strings(Development["env"]!).Select(entry => $"ENV {entry}"))}
            WORKDIR {Strings(Development["workdir"]!).Single()}
            EXPOSE 5000
            """);
        folder.Write(
            "docker/entrypoints/development_entrypoint.sh",
            "set -e\n# rosemary db:seed would come here\nif true; then\n    rosemary db:seed -y\nfi\n");
        foreach (var revision in _facts["migrations"]!.AsArray())
        {
            var parent = revision!["down_revision"]!.GetValue<string>();
            folder.Write(
                $"migrations/versions/{revision["file"]}",
                $"revision = '{revision["revision"]}'\ndown_revision = {(parent == "None" ? parent : $"'{parent}'")}\n");
        }
    }

    // The compose files, and the files that they name.
    private void WriteComposeFiles(TemporaryFolder folder)
    {
        foreach (var file in ComposeFiles)
        {
            var text = new StringWriter();
            new YamlStream(new YamlDocument(Yaml(Compose(file)))).Save(text, assignAnchors: false);
            folder.Write($"docker/{file}", text.ToString());
        }

        foreach (var (name, dockerfile) in _facts["dockerfiles"]!.AsObject().Where(file => file.Key != "Dockerfile.dev"))
        {
            folder.Write(
                $"docker/images/{name}",
                string.Join(
                    '\n',
                    Strings(dockerfile!["from"]!).Select(image => $"FROM {image}")
                        .Concat(Strings(dockerfile["workdir"]!).Select(path => $"WORKDIR {path}"))));
        }

        foreach (var name in Strings(_facts["nginx"]!))
        {
            folder.Write($"docker/nginx/{name}", "");
        }

        if (_facts["env_examples"]![".env.selenium"] is { } selenium)
        {
            folder.Write(".env.selenium", string.Concat(Strings(selenium).Select(key => $"{key}=value\n")));
        }
    }

    private static YamlNode Yaml(JsonNode? node) => node switch
    {
        JsonObject keys => new YamlMappingNode(keys.SelectMany(key => new[] { new YamlScalarNode(key.Key), Yaml(key.Value) })),
        JsonArray items => new YamlSequenceNode(items.Select(Yaml)),
        null => new YamlScalarNode("null"),
        _ => new YamlScalarNode(node.ToString()) { Style = node.ToString().Length == 0 ? YamlDotNet.Core.ScalarStyle.DoubleQuoted : YamlDotNet.Core.ScalarStyle.Any },
    };

    private static string Value(string key) => key switch
    {
        "FLASK_APP_NAME" => "\"UVLHUB.IO(dev)\"",
        "MARIADB_DATABASE" => "uvlhubdb",
        "MARIADB_TEST_DATABASE" => "uvlhubdb_test",
        "MARIADB_USER" => "uvlhubdb_user",
        _ => "value",
    };

    private static IEnumerable<string> Strings(JsonNode array) => array.AsArray().Select(item => item!.GetValue<string>());
}
