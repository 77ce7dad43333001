using System.Text;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// The value of an expression that needs no running: a string, <c>None</c>, or a tuple, list or set of them.
/// </summary>
internal sealed class StaticValue
{
    private readonly IReadOnlyList<PythonToken> _tokens;
    private readonly string _name;
    private readonly int _line;
    private int _position;

    private StaticValue(IReadOnlyList<PythonToken> tokens, string name, int line)
    {
        _tokens = tokens;
        _name = name;
        _line = line;
    }

    /// <summary>Evaluates an expression.</summary>
    /// <returns>The values, and whether the expression is a single one rather than a collection.</returns>
    /// <exception cref="PythonSyntaxException">Only running the file could tell.</exception>
    public static (IReadOnlyList<string?> Values, bool IsScalar) Evaluate(IReadOnlyList<PythonToken> tokens, string name, int line)
    {
        var reader = new StaticValue(tokens, name, line);
        var value = reader.ReadSequence(isClosedBy: null);
        return reader._position == tokens.Count ? value : throw reader.NotStatic();
    }

    // Elements up to the closing bracket or the end. One without a comma is not a collection, except in a list or set.
    private (IReadOnlyList<string?> Values, bool IsScalar) ReadSequence(string? isClosedBy)
    {
        List<string?> values = [];
        var isScalar = isClosedBy is null or ")";
        var afterComma = true;
        while (_position < _tokens.Count && !(isClosedBy is not null && _tokens[_position].IsOperator(isClosedBy)))
        {
            if (_tokens[_position].IsOperator(","))
            {
                if (afterComma)
                {
                    throw NotStatic();
                }

                isScalar = false;
                afterComma = true;
                _position++;
                continue;
            }

            if (!afterComma)
            {
                throw NotStatic();
            }

            var (element, elementIsScalar) = ReadElement();
            if (!elementIsScalar)
            {
                // A bracketed collection is the value itself unless something stands beside it.
                var isWhole = values.Count == 0 && isScalar &&
                    (_position == _tokens.Count || (isClosedBy is not null && _tokens[_position].IsOperator(isClosedBy)));
                return isWhole ? Close(isClosedBy, element, isScalar: false) : throw NotStatic();
            }

            values.Add(element[0]);
            afterComma = false;
        }

        if (values.Count == 0)
        {
            isScalar = false;
            if (isClosedBy is null)
            {
                throw NotStatic();
            }
        }

        return Close(isClosedBy, values, isScalar);
    }

    private (IReadOnlyList<string?> Values, bool IsScalar) Close(string? bracket, IReadOnlyList<string?> values, bool isScalar)
    {
        if (bracket is not null)
        {
            _position++;
        }

        return (values, isScalar);
    }

    private (IReadOnlyList<string?> Values, bool IsScalar) ReadElement()
    {
        var token = _tokens[_position];
        if (token.Kind == PythonTokenKind.Text)
        {
            var text = new StringBuilder();
            while (_position < _tokens.Count && _tokens[_position].Kind == PythonTokenKind.Text)
            {
                text.Append(_tokens[_position++].Value);
            }

            return ([text.ToString()], true);
        }

        if (token.IsName("None"))
        {
            _position++;
            return ([null], true);
        }

        var closing = token.Kind != PythonTokenKind.Operator ? null : token.Value switch { "(" => ")", "[" => "]", "{" => "}", _ => null };
        if (closing is null)
        {
            throw NotStatic();
        }

        _position++;
        if (closing == "}" && _position < _tokens.Count && _tokens[_position].IsOperator("}"))
        {
            throw NotStatic();
        }

        return ReadSequence(closing);
    }

    private PythonSyntaxException NotStatic()
    {
        var token = _position < _tokens.Count ? _tokens[_position] : (PythonToken?)null;
        var what = token switch
        {
            null => "has no value",
            { Kind: PythonTokenKind.OtherText } => "is a formatted or byte string",
            { Kind: PythonTokenKind.Number } => $"is the number {token.Value.Value}, not a string",
            { Kind: PythonTokenKind.Name } => $"is computed from '{token.Value.Value}'",
            _ => $"is computed ('{token.Value.Value}')",
        };
        return new PythonSyntaxException(
            token?.Line ?? _line, $"'{_name}' {what}, so only running the file could tell its value; write a plain string");
    }
}
