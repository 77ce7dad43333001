namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// What a revision file says of itself at its top level. Python would run the file; this reads it, and where only running
/// could tell, it says so with the line instead of guessing.
/// </summary>
internal sealed class RevisionSource
{
    private const string IdName = "revision";
    private const string ParentsName = "down_revision";
    private const string LabelsName = "branch_labels";
    private const string DependenciesName = "depends_on";

    private static readonly string[] s_names = [IdName, ParentsName, LabelsName, DependenciesName];

    // Their bodies have names of their own; every other block binds the file's.
    private static readonly string[] s_scopes = ["def", "class", "async"];

    private static readonly string[] s_blocks =
        ["if", "elif", "else", "for", "while", "try", "except", "finally", "with", "match", "case", .. s_scopes];

    private readonly Dictionary<string, (IReadOnlyList<string?> Values, bool IsScalar, int Line)> _assigned = new(StringComparer.Ordinal);

    private RevisionSource()
    {
    }

    /// <summary>The <c>revision</c>; <see langword="null"/> if the file does not set it.</summary>
    public string? Id { get; private set; }

    /// <summary>Where <see cref="Id"/> is set, counted from 1.</summary>
    public int? IdLine => _assigned.TryGetValue(IdName, out var assigned) ? assigned.Line : null;

    /// <summary>The <c>down_revision</c>; <see langword="null"/> if the file does not set it.</summary>
    public IReadOnlyList<string>? Parents { get; private set; }

    /// <summary>Where <see cref="Parents"/> is set, counted from 1.</summary>
    public int? ParentsLine => _assigned.TryGetValue(ParentsName, out var assigned) ? assigned.Line : null;

    /// <summary>The <c>branch_labels</c>.</summary>
    public IReadOnlyList<string> BranchLabels { get; private set; } = [];

    /// <summary>The <c>depends_on</c>.</summary>
    public IReadOnlyList<string> DependsOn { get; private set; } = [];

    /// <summary>The docstring's first paragraph, as <c>flask db history</c> shows it.</summary>
    public string? Message { get; private set; }

    /// <summary>Reads a file's text.</summary>
    /// <exception cref="PythonSyntaxException">It cannot be read, or not without running it.</exception>
    public static RevisionSource Read(string text)
    {
        ThrowIfUnmerged(text);
        var source = new RevisionSource();
        var isFirst = true;
        var isInScope = false;
        foreach (var line in new PythonLexer(text).ReadLines())
        {
            if (isFirst)
            {
                isFirst = false;
                source.Message = ReadMessage(line);
            }

            if (!line.IsIndented)
            {
                isInScope = s_scopes.Any(line.Tokens[0].IsName);
            }

            if (line.IsIndented || s_blocks.Any(line.Tokens[0].IsName))
            {
                ThrowIfBound(line.Tokens, isInBlock: true, isInScope && line.IsIndented);
                continue;
            }

            foreach (var statement in Split(line.Tokens, ";"))
            {
                source.ReadStatement(statement);
            }
        }

        source.Finish();
        return source;
    }

    // Git leaves its markers inside the docstring too, where they are no mistake of Python's.
    private static void ThrowIfUnmerged(string text)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            if (line.StartsWith("<<<<<<< ", StringComparison.Ordinal) || line.StartsWith(">>>>>>> ", StringComparison.Ordinal))
            {
                throw new PythonSyntaxException(number, "an unresolved merge conflict of Git; edit the file, then 'git add' it");
            }
        }
    }

    private static string? ReadMessage(PythonLine line)
    {
        if (!line.Tokens.All(token => token.Kind == PythonTokenKind.Text))
        {
            return null;
        }

        var text = string.Concat(line.Tokens.Select(token => token.Value)).Trim();
        var paragraph = text.Split("\n\n", 2)[0].Trim();
        // Without a message the template's first paragraph is the list of identifiers.
        return paragraph.Length == 0 || paragraph.StartsWith("Revision ID:", StringComparison.Ordinal) ? null : paragraph;
    }

    private void ReadStatement(IReadOnlyList<PythonToken> statement)
    {
        if (statement.Count == 0)
        {
            return;
        }

        var parts = Split(statement, "=").ToList();
        var targets = parts.Take(parts.Count - 1).ToList();
        var names = targets.Select(Target).ToList();
        if (targets.Count == 0 || names.Contains(null))
        {
            ThrowIfBound(statement, isInBlock: false, isInScope: false);
            return;
        }

        // '(revision := …)' may hide in the value.
        ThrowIfBound(parts[^1], isInBlock: false, isInScope: false);
        foreach (var name in names.Where(name => s_names.Contains(name, StringComparer.Ordinal)))
        {
            var (values, isScalar) = StaticValue.Evaluate(parts[^1], name!, statement[0].Line);
            _assigned[name!] = (values, isScalar, statement[0].Line);
        }
    }

    // 'name' or 'name: annotation'; anything else is null.
    private static string? Target(IReadOnlyList<PythonToken> target)
    {
        var isTarget = target is [{ Kind: PythonTokenKind.Name }] ||
            (target.Count > 2 && target[0].Kind == PythonTokenKind.Name && target[1].IsOuterOperator(":"));
        return isTarget ? target[0].Value : null;
    }

    private static void ThrowIfBound(IReadOnlyList<PythonToken> tokens, bool isInBlock, bool isInScope)
    {
        if (isInScope || !tokens.Any(IsOurs))
        {
            return;
        }

        var bindings = new BindingFinder(tokens);
        for (var index = 0; index < tokens.Count; index++)
        {
            var token = tokens[index];
            if (IsOurs(token) && bindings.IsBinding(index))
            {
                throw new PythonSyntaxException(
                    token.Line,
                    isInBlock
                        ? $"'{token.Value}' is set inside a block, so only running the file could tell its value; set it once, at the top "
                            + "level, to a plain string"
                        : $"'{token.Value}' is set in a way that only running the file could tell; write {token.Value} = '…' on a line of "
                            + "its own");
            }
        }
    }

    private static bool IsOurs(PythonToken token) =>
        token.Kind == PythonTokenKind.Name && s_names.Contains(token.Value, StringComparer.Ordinal);

    private void Finish()
    {
        if (_assigned.TryGetValue(IdName, out var id))
        {
            Id = id.IsScalar && id.Values is [{ Length: > 0 } value]
                ? value
                : throw new PythonSyntaxException(id.Line, "'revision' must be a string that is not empty");
        }

        Parents = _assigned.ContainsKey(ParentsName) ? Texts(ParentsName) : null;
        BranchLabels = Texts(LabelsName);
        DependsOn = Texts(DependenciesName);
    }

    private IReadOnlyList<string> Texts(string name)
    {
        if (!_assigned.TryGetValue(name, out var assigned) || assigned.Values is [] or [null])
        {
            return [];
        }

        return [.. assigned.Values
            .Select(value => value ?? throw new PythonSyntaxException(assigned.Line, $"'{name}' has a None between its identifiers"))
            .Distinct(StringComparer.Ordinal)];
    }

    private static IEnumerable<IReadOnlyList<PythonToken>> Split(IReadOnlyList<PythonToken> tokens, string separator)
    {
        List<PythonToken> part = [];
        foreach (var token in tokens)
        {
            if (token.IsOuterOperator(separator))
            {
                yield return part;
                part = [];
            }
            else
            {
                part.Add(token);
            }
        }

        yield return part;
    }
}
