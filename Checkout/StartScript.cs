using System.Text.RegularExpressions;

namespace UvlhubAspire.Checkout;

/// <summary>
/// The script that a checkout's container is started with: what of it the model replaces, and what it does beside that. The model does
/// not take it apart into steps of its own; the script stays one, in the shell that it is written for, with
/// <c>:</c> in place of what is replaced.
/// </summary>
public sealed partial class StartScript
{
    // Tells a step's beginning, and its end with time and exit code, on standard error: of two steps one is no pipe's input. What ends
    // the whole script is told as well. /proc/uptime needs no process, and counts in hundredths of a second. A stand-in for the checkout's
    // image lacks what its Dockerfile installs for such steps, so that one which fails there ends nothing.
    private static readonly string s_steps = $$"""
        uvlhub_standin=;
        [ ! -e {{SharedNames.StandInsPackages}} ] || uvlhub_standin=' (passed over on a stand-in for the image)';
        uvlhub_at=;
        uvlhub_step() {
            uvlhub_code=$?;
            read -r uvlhub_now uvlhub_idle < /proc/uptime;
            uvlhub_now=${uvlhub_now%.*}${uvlhub_now#*.};
            if [ $# = 0 ] && [ -n "$uvlhub_at" ]; then
                uvlhub_took=$((uvlhub_now - uvlhub_since));
                uvlhub_end="is done";
                [ "$uvlhub_code" = 0 ] || uvlhub_end="failed with exit code $uvlhub_code$uvlhub_standin";
                printf '%s %s after %d.%02d s\n' "$uvlhub_at" "$uvlhub_end" $((uvlhub_took / 100)) $((uvlhub_took % 100)) >&2;
            fi;
            uvlhub_at=${1-};
            uvlhub_since=$uvlhub_now;
            [ -z "$uvlhub_standin" ] || set +e;
            [ $# = 0 ] || { printf '%s begins\n' "$1" >&2; return 0; };
            return "$uvlhub_code";
        };
        trap uvlhub_step EXIT;

        """.ReplaceLineEndings(" ");

    /// <summary>The step that a line of the log tells of, and whether it has ended; <see langword="null"/> for any other line.</summary>
    public static (string Step, bool HasEnded)? StepOf(string line) =>
        OfStep().Match(line) is { Success: true } match ? (match.Groups["step"].Value, !match.Groups["begins"].Success) : null;

    /// <summary>The file in the container that is there when <see cref="Packages"/> are.</summary>
    public const string Installed = "/tmp/uvlhub-packages-installed";

    private static readonly StartLineKind[] s_askedOfTheDatabase = [StartLineKind.Waits, StartLineKind.Migrates, StartLineKind.Seeds];

    private readonly UvlhubCheckout _checkout;
    private readonly IReadOnlyList<string> _server;
    private readonly string _text;
    private readonly string _file;
    private readonly IReadOnlyList<string> _shell;
    private readonly List<StartLine> _lines = [];
    private IReadOnlyList<string> _arguments = [];
    private int _firstLine = 1;
    private IReadOnlyList<string> _callers;
    private List<(int Start, int End, string Text)> _edits = [];
    private string _options = "";
    private string _rendered = "";
    private bool _hasOwn;
    private string _packages = "";
    private bool _hasPackages;

    private StartScript(UvlhubCheckout checkout, string file, string? text, IReadOnlyList<string> shell, IReadOnlyList<string> server)
    {
        (_checkout, _server, _file, _shell, _callers) = (checkout, server, file, shell, [file]);
        _text = text ?? File.ReadAllText(file).ReplaceLineEndings("\n");
    }

    /// <summary>Its commands, in the script's order; those of scripts that it calls, too, where they are not simply run.</summary>
    public IReadOnlyList<StartLine> Lines => _lines;

    /// <summary>Why nothing of its own runs, whatever that is; <see langword="null"/> if it does.</summary>
    public string? Problem { get; private set; }

    /// <summary>
    /// What of it does not run although the model does not replace it, as one message; <see langword="null"/> if nothing.
    /// </summary>
    public string? NotRun => Problem ?? _lines.Where(line => line.Kind == StartLineKind.Unsure).Select(line => $"{line}")
        .DefaultIfEmpty().Aggregate((all, line) => $"{all}; {line}");

    /// <summary>What the migrator runs after it has seeded a new database: a shell and its arguments; empty for nothing.</summary>
    public IReadOnlyList<string> Seeding { get; private set; } = [];

    /// <summary>
    /// Installs the packages that the script installs before the migration, and tells by the file <see cref="Installed"/> that it has;
    /// then it idles. Empty if the script installs none.
    /// </summary>
    public IReadOnlyList<string> Packages => !_hasPackages || Problem is not null ? []
        : [.. _shell, "-c", $"{Program(_packages)}touch {Installed}; exec sleep infinity", InContainer];

    /// <summary>
    /// What the container runs: the script with the server in place of its own, or the server alone where it does nothing else.
    /// </summary>
    public IReadOnlyList<string> Command => _hasOwn && Problem is null
        ? [.. _shell, "-c", Program(_rendered), InContainer, .. _arguments]
        : _server;

    /// <summary>Reads the script that a command runs, or the command itself, which is a short one.</summary>
    /// <param name="checkout">The checkout.</param>
    /// <param name="words">The command's words, with paths as the container sees them.</param>
    /// <param name="file">The file that has the command.</param>
    /// <param name="line">Its line there, counted from 1.</param>
    /// <param name="mounts">Single files of the checkout that the container has in another place.</param>
    /// <param name="server">What serves the site instead of what the script has for it.</param>
    /// <returns>The script; <see langword="null"/> if there is no command.</returns>
    public static StartScript? Read(
        UvlhubCheckout checkout, IReadOnlyList<string> words, string file, int line, IReadOnlyDictionary<string, string> mounts,
        IReadOnlyList<string> server)
    {
        if (words.Count == 0)
        {
            return null;
        }

        var (shell, text) = words is [var name, "-c", var inner, ..] && ShellName().IsMatch(name)
            ? (name, inner.Trim())
            : ("sh", ShellWords.Join(words));
        var call = Call().Match(text);
        var script = call.Success && !Syntax().IsMatch(call.Groups["rest"].ValueSpan)
            && InCheckout(checkout, call.Groups["path"].Value, mounts) is { } called
                ? new StartScript(checkout, called, text: null, ShellOf(call, called), server)
                {
                    _arguments = ShellWords.Split(call.Groups["rest"].Value),
                }
                : new StartScript(checkout, file, text, [shell], server) { _firstLine = line };
        if (script.TryRender() && script._lines.Any(own => own.Kind == StartLineKind.Own)
            && !script._lines.Any(serves => serves.Kind == StartLineKind.Serves))
        {
            script.Problem = $"{script._file}:{script._lines[0].Line}: nothing of this start command runs, because none of its commands is "
                + "'flask run' or 'gunicorn', and which one serves cannot be told";
        }

        return script;
    }

    /// <summary>What a script that seeds runs beside the seeder, on a new database: a shell and its arguments; empty for nothing.</summary>
    internal static IReadOnlyList<string> SeedingOf(UvlhubCheckout checkout, string file)
    {
        var script = new StartScript(checkout, file, text: null, Shebang(file), []);
        return script.TryRender() ? script.Seeding : [];
    }

    private string InContainer => $"{_checkout.WorkingDirectory}/{Path.GetRelativePath(_checkout.Path, _file)}";

    private bool TryRender()
    {
        try
        {
            foreach (var statement in ShellScript.Parse(_text))
            {
                var first = _lines.Count;
                Visit([statement], StartLineKind.Own);
                AddPackages(statement, [.. _lines.Skip(first)]);
            }

            _rendered = Edited(0, _text.Length);
            return true;
        }
        catch (FormatException exception)
        {
            Problem = $"{_file}: nothing of this script runs, because it cannot be read: {exception.Message}";
            return false;
        }
    }

    // What is installed before the migration, with what has been exported until then. Whether a failure ends the start, the site says.
    private void AddPackages(ShellStatement statement, IReadOnlyList<StartLine> lines)
    {
        if (!_lines.Any(line => line.Kind is StartLineKind.Migrates or StartLineKind.Seeds)
            && lines.All(line => line.Kind == StartLineKind.Own && Pip().IsMatch(line.Text)))
        {
            _packages += $"{Edited(statement.Start, statement.End)}\nset +e\n";
            _hasPackages |= lines.Count > 0;
        }
    }

    // In one line, so that what the shell says of a line is true of the checkout's file.
    private static string Program(string text) =>
        s_steps + (text.StartsWith("#!", StringComparison.Ordinal)
            ? text[Math.Max(0, text.IndexOf('\n', StringComparison.Ordinal))..]
            : text);

    private void Visit(IReadOnlyList<ShellStatement> list, StartLineKind own)
    {
        foreach (var statement in list)
        {
            foreach (var pipeline in statement.Pipelines)
            {
                Visit(pipeline, statement, own);
            }
        }
    }

    private void Visit(ShellPipeline pipeline, ShellStatement statement, StartLineKind own)
    {
        if (pipeline.Commands.Any(command => command.Lists.Count > 0))
        {
            foreach (var command in pipeline.Commands)
            {
                if (command.IsConditional && Has(command, s_askedOfTheDatabase) && !Has(command, StartLineKind.Serves))
                {
                    _edits.Add((command.Start, command.End, ":"));
                    LeaveOut(command);
                }
                else
                {
                    var edits = _edits;
                    foreach (var list in command.Lists)
                    {
                        // A condition that does not hold is no step that fails, and may be asked a hundred times: it stays as it is.
                        _edits = list == command.Lists[0] && Condition().IsMatch(_text[command.Start..command.End]) ? [] : edits;
                        Visit(list, own);
                    }

                    _edits = edits;
                }
            }

            return;
        }

        var called = pipeline.Commands is [_] ? Called(Text(pipeline)) : null;
        var calls = called?._lines.Any(line => line.Kind == StartLineKind.Own) == true;
        switch (KindOf(pipeline))
        {
            case StartLineKind.None:
                _hasOwn |= own == StartLineKind.Own && ShapesTheShell().IsMatch(Text(pipeline));
                _options += ShellOptions().Match(Text(pipeline)) is { Success: true } options ? $"{options.Value}; " : "";
                break;

            case StartLineKind.Own:
                _hasOwn |= own == StartLineKind.Own;
                _lines.Add(Line(pipeline, own));
                // A background list is a process of its own, which shall live to tell how it ended.
                _edits.Add((
                    pipeline.Start, pipeline.Start,
                    $"{{ uvlhub_step {ShellWords.Join([$"{_lines[^1].File}:{_lines[^1].Line}: '{_lines[^1].Text}'"])}; "
                    + (statement.IsBackground ? "set +e; " : "")));
                _edits.Add((pipeline.End, pipeline.End, "; uvlhub_step; }"));
                break;

            case StartLineKind.Serves when !calls:
                _lines.Add(Line(pipeline, StartLineKind.Serves));
                _edits.Add((
                    pipeline.Start, pipeline.End,
                    $"{(statement is { IsBackground: false, Pipelines.Count: 1 } ? "exec " : "")}{ShellWords.Join(_server)}"));
                break;

            case var kind:
                _hasOwn |= calls && own == StartLineKind.Own;
                _lines.AddRange(called?._lines.Any(line => line.Kind >= StartLineKind.Own) == true
                    ? called._lines.Select(line => line.Kind == StartLineKind.Own ? line with { Kind = own } : line)
                    : [Line(pipeline, kind)]);
                _edits.Add((pipeline.Start, pipeline.End, !calls ? ":"
                    : (ExecPrefix().IsMatch(Text(pipeline)) ? "exec " : "")
                        + ShellWords.Join([.. called!._shell, "-c", Program(called._rendered), called.InContainer])
                        + Call().Match(Text(pipeline)).Groups["rest"].Value));
                break;
        }
    }

    // What hangs on the state of the database is known by what it does to it.
    private bool Has(ShellCommand command, params StartLineKind[] kinds) =>
        command.Lists.SelectMany(list => list).SelectMany(statement => statement.Pipelines).Any(
            pipeline => pipeline.Commands.All(part => part.Lists.Count == 0)
                ? kinds.Contains(KindOf(pipeline))
                : pipeline.Commands.Any(part => Has(part, kinds)));

    // The list that seeds is run when the migrator has seeded; when the others were meant to run, nobody knows any more.
    private void LeaveOut(ShellCommand command)
    {
        foreach (var list in command.Lists)
        {
            var pipelines = list.SelectMany(statement => statement.Pipelines).ToList();
            if (Seeding.Count == 0 && pipelines.Any(pipeline => KindOf(pipeline) == StartLineKind.Seeds))
            {
                var (edits, first) = (_edits, _lines.Count);
                _edits = [];
                Visit(list, StartLineKind.OwnSeeding);
                if (_lines.Skip(first).Any(line => line.Kind == StartLineKind.OwnSeeding))
                {
                    Seeding = [.. _shell, "-c", $"{Program(_options)}{Edited(list[0].Start, list[^1].End)}\n:", InContainer];
                }

                _edits = edits;
                continue;
            }

            foreach (var pipeline in pipelines)
            {
                foreach (var nested in pipeline.Commands.Where(part => part.Lists.Count > 0))
                {
                    LeaveOut(nested);
                }

                if (pipeline.Commands.All(part => part.Lists.Count == 0) && KindOf(pipeline) is not StartLineKind.None and var kind)
                {
                    _lines.Add(Line(pipeline, kind == StartLineKind.Own ? StartLineKind.Unsure : kind));
                }
            }
        }
    }

    private StartLineKind KindOf(ShellPipeline pipeline)
    {
        var kinds = pipeline.Commands.Select(command => KindOf(_text[command.Start..command.End])).ToList();
        return kinds.FirstOrDefault(
            kind => kind is not StartLineKind.None and not StartLineKind.Own,
            kinds.Contains(StartLineKind.Own) ? StartLineKind.Own : StartLineKind.None);
    }

    private StartLineKind KindOf(string command) =>
        Neutral().IsMatch(command) || ShapesTheShell().IsMatch(command) ? StartLineKind.None
        : WaitScript().IsMatch(command) || Client().IsMatch(command) ? StartLineKind.Waits
        : Migration().IsMatch(command) ? StartLineKind.Migrates
        : Seeder().IsMatch(command) ? StartLineKind.Seeds
        : Pip().IsMatch(command) ? (PackagesOf(command).IsSubsetOf(InImage) ? StartLineKind.Installs : StartLineKind.Own)
        : Server().IsMatch(command) ? StartLineKind.Serves
        : Called(command)?.KindOfAll ?? StartLineKind.Own;

    // Of a script that is called: what it is replaced by as a whole.
    private StartLineKind KindOfAll =>
        _lines.Select(line => line.Kind).Where(kind => kind < StartLineKind.Own).DefaultIfEmpty(StartLineKind.Own).Max();

    private StartScript? Called(string command)
    {
        if (WaitScript().IsMatch(command) || Call().Match(command) is not { Success: true } call
            || InCheckout(_checkout, call.Groups["path"].Value, new Dictionary<string, string>()) is not { } file
            || _callers.Contains(file))
        {
            return null;
        }

        var script = new StartScript(_checkout, file, text: null, ShellOf(call, file), _server)
        {
            _callers = [.. _callers, file],
        };
        return script.TryRender() ? script : null;
    }

    private static string? InCheckout(UvlhubCheckout checkout, string path, IReadOnlyDictionary<string, string> mounts)
    {
        if (!path.EndsWith(".sh", StringComparison.Ordinal))
        {
            return null;
        }

        var inside = path.StartsWith($"{checkout.WorkingDirectory}/", StringComparison.Ordinal)
            ? path[(checkout.WorkingDirectory.Length + 1)..]
            : path;
        string[] candidates =
        [
            mounts.GetValueOrDefault(path) ?? "",
            .. Path.IsPathRooted(inside) ? Array.Empty<string>() : [Path.GetFullPath(inside, checkout.Path)],
            // A Dockerfile copies it to where it likes.
            Path.Combine(checkout.Path, "docker/entrypoints", Path.GetFileName(path)),
        ];
        return candidates.FirstOrDefault(File.Exists);
    }

    private static string[] ShellOf(Match call, string file) =>
        call.Groups["shell"] is { Success: true } shell ? [shell.Value] : Shebang(file);

    private static string[] Shebang(string file) =>
        File.ReadLines(file).FirstOrDefault() is { } first && first.StartsWith("#!", StringComparison.Ordinal)
            && first[2..].Replace("/usr/bin/env ", "", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries) is
                [_, ..] words ? words : ["sh"];

    private HashSet<string> InImage => field ??=
    [
        // Inside of an image there is none any more.
        .. Dockerfile.Instructions(_checkout.SiteDockerfile is { } dockerfile ? File.ReadLines(dockerfile.Path) : [])
            .Where(line => line.Instruction == "RUN")
            .SelectMany(line => line.Arguments.Split(["&&", ";"], StringSplitOptions.TrimEntries))
            .Select(command => MountOption().Replace(command, "")).SelectMany(PackagesOf),
    ];

    // What pip is asked for, without its options.
    private static HashSet<string> PackagesOf(string command) => Pip().Match(command) is not { Success: true } pip ? [] :
    [
        .. command[(pip.Index + pip.Length)..].Split((char[])[' ', '\t', '\n', '\\'], StringSplitOptions.RemoveEmptyEntries)
            .TakeWhile(word => word[0] is not ('|' or '>' or '2'))
            .Where(word => word[0] != '-').Select(word => word.TrimEnd('/')),
    ];

    private string Text(ShellPipeline pipeline) => _text[pipeline.Start..pipeline.End];

    private StartLine Line(ShellPipeline pipeline, StartLineKind kind) => new(
        Path.GetRelativePath(_checkout.Path, _file),
        _text.AsSpan(0, pipeline.Start).Count('\n') + _firstLine,
        Text(pipeline).Split('\n')[0].TrimEnd(' ', '\\'),
        kind);

    private string Edited(int start, int end)
    {
        var (text, at) = ("", start);
        foreach (var edit in _edits.Where(edit => edit.Start >= start && edit.End <= end))
        {
            text += _text[at..edit.Start] + edit.Text;
            at = edit.End;
        }

        return text + _text[at..end];
    }

    // What may stand before a command's name.
    private const string Begins = @"^(?:exec\s+|command\s+|env\s+)?(?:\w+=(?!""?\$\()\S*\s+)*(?:exec\s+)?(?:python3?\s+-m\s+)?";

    [GeneratedRegex(@"^(?:\S*/)?(?:ba|da|a|k|z)?sh$")]
    private static partial Regex ShellName();

    [GeneratedRegex(@"(?:^|[\s/])(?:wait[-_]for[-_](?:db|mariadb|mysql)|init[-_]testing[-_]db)\.sh\b")]
    private static partial Regex WaitScript();

    // Clients that ask, and change nothing but that there is a database.
    [GeneratedRegex(
        Begins + @"(?:(?:mariadb|mysql)-?admin\b|nc\s|(?:mariadb|mysql)\s(?=[\s\S]*\b(?:SELECT|SHOW|CREATE DATABASE)\b)"
        + @"(?![\s\S]*(?:<|\b(?:INSERT|UPDATE|DELETE|DROP|ALTER|REPLACE|TRUNCATE|CREATE TABLE)\b)))", RegexOptions.IgnoreCase)]
    private static partial Regex Client();

    [GeneratedRegex(Begins + @"(?:flask\s(?:\s*-\S+(?:\s+app\S*)?)*\s*db\s|rosemary\s+db:(?:migrate|upgrade|init|status)\b|alembic\s)")]
    private static partial Regex Migration();

    [GeneratedRegex(Begins + @"\S+\s+db:seed\b")]
    private static partial Regex Seeder();

    [GeneratedRegex(
        Begins + @"(?:(?:opentelemetry-instrument|ddtrace-run|nohup|poetry|pipenv|uv|run|debugpy|coverage)(?:\s+-\S+(?:\s+[\d.:]+)?)*\s+)*"
        + @"(?:(?:\S*/)?flask\s(?:.*\s)?run\b|(?:\S*/)?gunicorn\b)|^(?:exec\s+)?""\$@""$")]
    private static partial Regex Server();

    [GeneratedRegex(Begins + @"(?:uv\s+)?pip3?\s+install\b")]
    private static partial Regex Pip();

    [GeneratedRegex(@"^(?:exec\s+)?(?:(?<shell>(?:ba|da)?sh)\s+)?(?<path>[\w./-]+\.sh)(?<rest>\s[\s\S]*|$)")]
    private static partial Regex Call();

    [GeneratedRegex(@"^(?:if|while|until)\s")]
    private static partial Regex Condition();

    [GeneratedRegex("""[;&|<>\n"']""")]
    private static partial Regex Syntax();

    [GeneratedRegex(@"^(?:--\S+\s+)+")]
    private static partial Regex MountOption();

    [GeneratedRegex(@"^exec\s")]
    private static partial Regex ExecPrefix();

    [GeneratedRegex(
        @"^(?:\w+=(?:\S*|\$\([\s\S]*|""[\s\S]*""|'[\s\S]*')$|(?:echo|printf|set|test|true|false|sleep|exit|return|break|continue|"
        + @"shift|wait|read|local|date|:|\[|\[\[|\(\()(?:\s|$)|\[\[|\(\()")]
    private static partial Regex Neutral();

    [GeneratedRegex(@"^(?:export|cd|unset|umask|ulimit|trap|declare|readonly|alias|source|\.|eval|exec\s+[0-9>&])(?:\s|$)")]
    private static partial Regex ShapesTheShell();

    [GeneratedRegex(@"^(?<step>\S+:\d+: '.*') (?:(?<begins>begins)|(?:is done|failed with exit code \d+.*) after [\d.]+ s)$")]
    private static partial Regex OfStep();

    [GeneratedRegex(@"^set\s+[-+].*$")]
    private static partial Regex ShellOptions();
}
