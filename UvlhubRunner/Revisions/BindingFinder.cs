namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// Tells where a line of Python gives a name a value in any of the ways other than <c>name = value</c>: as one of several
/// targets, in a loop, an import, a definition. One pass prepares what each question needs, so that a line of any length
/// is asked in time that grows with its length.
/// </summary>
internal sealed class BindingFinder
{
    private static readonly string[] s_operators =
    [
        "=", ":=", "+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**=",
    ];
    private static readonly string[] s_before = ["as", "def", "class", "del", "global"];

    private readonly IReadOnlyList<PythonToken> _tokens;
    private readonly bool[] _isBeforeAssignment;
    private readonly int[] _outer;
    private readonly int _lastIn;
    private readonly int _import;

    /// <summary>Looks at a line.</summary>
    /// <param name="tokens">Its pieces; at least one.</param>
    public BindingFinder(IReadOnlyList<PythonToken> tokens)
    {
        _tokens = tokens;
        _isBeforeAssignment = new bool[tokens.Count];
        _outer = new int[tokens.Count];
        _import = _lastIn = -1;
        for (var index = 0; index < tokens.Count; index++)
        {
            _outer[index] = tokens[index].Depth == 0 || index == 0 ? index : _outer[index - 1];
            _lastIn = tokens[index].Depth == 0 && tokens[index].IsName("in") ? index : _lastIn;
            _import = _import < 0 && tokens[index].IsName("import") ? index : _import;
        }

        var isBefore = false;
        for (var index = tokens.Count - 1; index >= 0; index--)
        {
            _isBeforeAssignment[index] = isBefore;
            isBefore = !tokens[index].IsOuterOperator(";")
                && (isBefore || (tokens[index].Depth == 0 && s_operators.Any(tokens[index].IsOperator)));
        }
    }

    /// <summary>Whether the name at this place is given a value.</summary>
    public bool IsBinding(int index)
    {
        var before = index > 0 ? _tokens[index - 1] : default;
        var after = index + 1 < _tokens.Count ? _tokens[index + 1] : default;
        if (before.IsOperator("."))
        {
            return false;
        }

        var first = _tokens[0];
        if (first.IsName("import") || first.IsName("from"))
        {
            // 'import revision as x' and 'from revision import x' do not bind it.
            return !after.IsName("as") && index > _import && _import >= 0;
        }

        if (s_before.Any(before.IsName) || after.IsOperator(":="))
        {
            return true;
        }

        // A loop's variable, up to its 'in'.
        if ((first.IsName("for") || first.IsName("async")) && index < _lastIn)
        {
            return true;
        }

        // To the left of an assignment: a tuple, 'x += …', or '(revision, other) = …' where the bracket is no call or index.
        var bracket = _outer[index];
        var isCallOrIndex = bracket != index && bracket > 0 && _tokens[bracket - 1].Kind == PythonTokenKind.Name;
        return _isBeforeAssignment[index] && !isCallOrIndex;
    }
}
