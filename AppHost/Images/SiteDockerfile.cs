using System.Text;

namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// The Dockerfile of an image that holds the site: the checkout's own, with stages behind it. <c>web</c> has what the AppHost mounts in
/// development, <c>migrator</c> has UvlhubRunner as well, so that it can leave the machine, and <c>operator</c> what UvlhubRunner
/// looks after a server with.
/// </summary>
internal static class SiteDockerfile
{
    /// <summary>The stage that serves.</summary>
    public const string WebStage = "uvlhub-web";

    /// <summary>The stage that migrates.</summary>
    public const string MigratorStage = "uvlhub-migrator";

    /// <summary>The stage that migrates, updates and backs up where there is no AppHost.</summary>
    public const string OperatorStage = "uvlhub-operator";

    /// <summary>The same with ssh, for backups on another machine.</summary>
    public const string SftpStage = "uvlhub-operator-sftp";

    /// <summary>The images of which the operator's stage has a program.</summary>
    public static IReadOnlyList<string> OperatorImages { get; } = [DockerImage, ResticImage];

    private const string DockerImage = "docker:28-cli";
    private const string ResticImage = "restic/restic:0.18.1";

    /// <summary>The build context with the modules that Python loads at its start.</summary>
    public const string StartupContext = "uvlhub-startup";

    /// <summary>The build context with the published UvlhubRunner.</summary>
    public const string RunnerContext = "uvlhub-runner";

    /// <summary>The build context with what installs OpenTelemetry.</summary>
    public const string PackagesContext = "uvlhub-packages";

    /// <summary>Where the start-up modules lie in the image.</summary>
    public const string StartupFolder = "/opt/uvlhub-aspire/startup";

    /// <summary>Where UvlhubRunner lies in the image; it is on the <c>PATH</c>.</summary>
    public const string RunnerFolder = "/opt/uvlhub-aspire/runner";

    /// <summary>The last stage of the checkout's own.</summary>
    public const string CheckoutStage = "uvlhub-checkout";

    // What only arranges files works on every base; what installs packages is what the stand-in has done already.
    private static readonly HashSet<string> s_fileCommands = new(StringComparer.Ordinal)
    {
        "cd", "chmod", "chown", "cp", "echo", "find", "ln", "mkdir", "mv", "printf", "rm", "sed", "test", "touch", "true",
    };

    /// <summary>The checkout's Dockerfile as it is, with our stages.</summary>
    public static string OnItsOwnBase(Dockerfile dockerfile)
    {
        var lines = File.ReadAllLines(dockerfile.Path).ToList();
        var last = lines.FindLastIndex(line => line.TrimStart().StartsWith("FROM ", StringComparison.OrdinalIgnoreCase));
        var words = lines[last].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var alias = Alias(words);
        if (alias is null)
        {
            lines[last] += $" AS {CheckoutStage}";
        }

        return string.Join('\n', lines) + Stages(alias ?? CheckoutStage);
    }

    /// <summary>
    /// The checkout's Dockerfile on another base that has its packages: <c>RUN</c> lines that do more than arrange files
    /// are left out.
    /// </summary>
    public static string OnStandIn(Dockerfile dockerfile, string image)
    {
        var text = new StringBuilder();
        var stages = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        string? current = null;
        var instructions = Dockerfile.Instructions(File.ReadAllLines(dockerfile.Path)).ToList();
        var last = instructions.FindLastIndex(line => line.Instruction == "FROM");
        foreach (var (index, (instruction, arguments)) in instructions.Index())
        {
            switch (instruction)
            {
                case "FROM":
                    var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    var from = words.First(word => !word.StartsWith("--", StringComparison.Ordinal));
                    current = Alias(words) ?? (index == last ? CheckoutStage : null);
                    text.Append("FROM ").Append(stages.Contains(from) ? from : image);
                    if (current is not null)
                    {
                        text.Append(" AS ").Append(current);
                        stages.Add(current);
                    }

                    text.Append('\n');
                    break;
                case "RUN" when !ArrangesFiles(arguments):
                    break;
                default:
                    text.Append(instruction).Append(' ').Append(arguments).Append('\n');
                    break;
            }
        }

        return text + Stages(current!);
    }

    /// <summary>
    /// What is kept from the builder, beside what the checkout itself keeps from it: settings, for no secret may get into
    /// a layer, and what differs from one machine to the next.
    /// </summary>
    public static string Ignored(UvlhubCheckout checkout)
    {
        var own = Path.Combine(checkout.Path, ".dockerignore");
        return $"""
            {(File.Exists(own) ? File.ReadAllText(own).TrimEnd() : "")}
            .git
            **/.env
            **/.env.*
            **/__pycache__
            **/*.log
            uploads
            """;
    }

    private static string Stages(string stage) => $"""

        FROM {stage} AS uvlhub-packages-installed
        USER root
        COPY --from={PackagesContext} install.sh /opt/uvlhub-aspire/
        RUN sh /opt/uvlhub-aspire/install.sh
        FROM {stage} AS {WebStage}
        COPY --from=uvlhub-packages-installed {ToolPackages.Installed} {ToolPackages.Installed}
        COPY --from={StartupContext} . {StartupFolder}/
        FROM {WebStage} AS {MigratorStage}
        COPY --from={RunnerContext} . {RunnerFolder}/
        ENV PATH="{RunnerFolder}:$PATH"
        FROM {MigratorStage} AS {OperatorStage}
        COPY --from={DockerImage} /usr/local/bin/docker /usr/local/bin/
        COPY --from={ResticImage} /usr/bin/restic /usr/local/bin/
        FROM {OperatorStage} AS {SftpStage}
        RUN command -v ssh || apk add --no-cache openssh-client \
            || (apt-get update && apt-get install -y --no-install-recommends openssh-client && rm -rf /var/lib/apt/lists/*)

        """;

    private static string? Alias(string[] words)
    {
        var at = Array.FindIndex(words, word => word.Equals("AS", StringComparison.OrdinalIgnoreCase));
        return at < 0 ? null : words.ElementAtOrDefault(at + 1);
    }

    private static bool ArrangesFiles(string command) =>
        command.Split((char[])['&', ';', '|'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .All(part => s_fileCommands.Contains(part.Split(' ', 2)[0]));
}
