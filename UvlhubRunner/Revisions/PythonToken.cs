namespace UvlhubAspire.Runner.Revisions;

/// <summary>What a piece of Python source is.</summary>
internal enum PythonTokenKind
{
    /// <summary>An identifier or keyword.</summary>
    Name,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A plain string; its value is known.</summary>
    Text,

    /// <summary>A string whose value is not known without running it, or that is no text: formatted, template or bytes.</summary>
    OtherText,

    /// <summary>An operator or bracket.</summary>
    Operator,
}

/// <summary>One piece of Python source.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">A string's value; otherwise the source itself.</param>
/// <param name="Line">Its line, counted from 1.</param>
/// <param name="Depth">How many brackets are open around it.</param>
internal readonly record struct PythonToken(PythonTokenKind Kind, string Value, int Line, int Depth)
{
    /// <summary>Whether this is the given operator, outside all brackets.</summary>
    public bool IsOuterOperator(string text) => Depth == 0 && IsOperator(text);

    /// <summary>Whether this is the given operator.</summary>
    public bool IsOperator(string text) => Kind == PythonTokenKind.Operator && Value == text;

    /// <summary>Whether this is the given name or keyword.</summary>
    public bool IsName(string text) => Kind == PythonTokenKind.Name && Value == text;
}

/// <summary>One logical line of Python source, joined over brackets and continuations.</summary>
/// <param name="Tokens">Its pieces; at least one.</param>
/// <param name="IsIndented">Whether it belongs to a block.</param>
internal sealed record PythonLine(IReadOnlyList<PythonToken> Tokens, bool IsIndented)
{
    /// <summary>The line where it begins, counted from 1.</summary>
    public int Line => Tokens[0].Line;
}
