namespace UvlhubAspire.Checkout;

/// <summary>One command: a simple one, or one that has lists of others in it.</summary>
/// <param name="Start">Where it begins in the script's text.</param>
/// <param name="End">Where it ends.</param>
/// <param name="IsConditional">Whether something decides if its lists run: <c>if</c>, <c>while</c>, <c>for</c>, <c>case</c>.</param>
/// <param name="Lists">The lists in it, a condition too; none in a simple command.</param>
internal sealed record ShellCommand(int Start, int End, bool IsConditional, IReadOnlyList<IReadOnlyList<ShellStatement>> Lists);

/// <summary>Commands that are joined by <c>|</c>.</summary>
internal sealed record ShellPipeline(int Start, int End, IReadOnlyList<ShellCommand> Commands);

/// <summary>Pipelines that are joined by <c>&amp;&amp;</c> and <c>||</c>.</summary>
internal sealed record ShellStatement(int Start, int End, IReadOnlyList<ShellPipeline> Pipelines, bool IsBackground);

/// <summary>
/// Takes a shell's script apart into its commands, as far as is needed to change one of them and leave the rest as it is: words are
/// found, not expanded.
/// </summary>
internal sealed class ShellScript
{
    private static readonly HashSet<string> s_reserved =
        ["then", "elif", "else", "fi", "do", "done", "esac", "}"];

    private readonly string _text;
    private readonly Queue<(string Word, bool IsIndented)> _hereDocuments = new();
    private int _at;

    private ShellScript(string text) => _text = text;

    /// <summary>The script's statements.</summary>
    /// <exception cref="FormatException">It ends in the midst of something.</exception>
    public static IReadOnlyList<ShellStatement> Parse(string text)
    {
        var script = new ShellScript(text);
        var statements = script.List();
        return script._at == text.Length ? statements : throw script.Unexpected();
    }

    private char Current => _at < _text.Length ? _text[_at] : '\0';

    private bool Is(string symbol) => string.CompareOrdinal(_text, _at, symbol, 0, symbol.Length) == 0;

    private FormatException Unexpected() => new(
        _at < _text.Length ? $"'{_text[_at..].Split('\n')[0]}' is not expected here" : "something is opened that is never closed");

    // Until what only the caller can know: the end, a closing parenthesis or word, the end of a case.
    private List<ShellStatement> List()
    {
        List<ShellStatement> statements = [];
        while (true)
        {
            SkipSpace();
            if (Current is '\0' or ')' || Is(";;") || s_reserved.Contains(PeekWord()))
            {
                return statements;
            }

            statements.Add(Statement());
        }
    }

    private ShellStatement Statement()
    {
        List<ShellPipeline> pipelines = [Pipeline()];
        while (true)
        {
            SkipBlanks();
            if (!Is("&&") && !Is("||"))
            {
                break;
            }

            _at += 2;
            SkipSpace();
            pipelines.Add(Pipeline());
        }

        var isBackground = Current == '&';
        if (isBackground || (Current == ';' && !Is(";;")))
        {
            _at++;
        }
        else if (Current is not ('\0' or '\n' or '#' or ')' or ';'))
        {
            throw Unexpected();
        }

        return new ShellStatement(pipelines[0].Start, pipelines[^1].End, pipelines, isBackground);
    }

    private ShellPipeline Pipeline()
    {
        while (PeekWord() is "!" or "time")
        {
            Word();
            SkipBlanks();
        }

        List<ShellCommand> commands = [Command()];
        while (Current == '|' && !Is("||"))
        {
            _at += Is("|&") ? 2 : 1;
            SkipSpace();
            commands.Add(Command());
        }

        return new ShellPipeline(commands[0].Start, commands[^1].End, commands);
    }

    private ShellCommand Command()
    {
        var start = _at;
        switch (PeekWord())
        {
            case "if":
                List<IReadOnlyList<ShellStatement>> lists = [];
                do
                {
                    Word();
                    lists.Add(List());
                }
                while (PeekWord() is "then" or "elif" or "else");
                return Compound(start, isConditional: true, "fi", lists);
            case "while" or "until":
                Word();
                var condition = List();
                Expect("do");
                return Compound(start, isConditional: true, "done", [condition, List()]);
            case "for" or "select":
                while (PeekWord() != "do")
                {
                    SkipSpace();
                    if (Current is '(')
                    {
                        Parentheses();
                    }
                    else if (Current == ';')
                    {
                        _at++;
                    }
                    else if (PeekWord() != "do")
                    {
                        Word();
                    }
                }

                Expect("do");
                return Compound(start, isConditional: true, "done", [List()]);
            case "case":
                return Case(start);
            case "{":
                Word();
                return Compound(start, isConditional: false, "}", [List()]);
            case "function":
                Word();
                SkipBlanks();
                Word();
                return Function(start);
            case "[[":
                while (!Is("]]"))
                {
                    Symbol();
                }

                _at += 2;
                return Rest(start, isConditional: false, []);
        }

        if (Is("(("))
        {
            Parentheses();
            return Rest(start, isConditional: false, []);
        }

        if (Current == '(')
        {
            _at++;
            var list = List();
            if (Current != ')')
            {
                throw Unexpected();
            }

            _at++;
            return Rest(start, isConditional: false, [list]);
        }

        if (Current is '\0' or '\n' or ';' or '&' or '|' or ')')
        {
            throw Unexpected();
        }

        return Rest(start, isConditional: false, []);
    }

    private ShellCommand Case(int start)
    {
        Word();
        while (PeekWord() != "in")
        {
            SkipSpace();
            Word();
            SkipSpace();
        }

        Word();
        List<IReadOnlyList<ShellStatement>> lists = [];
        while (true)
        {
            SkipSpace();
            if (PeekWord() == "esac")
            {
                return Compound(start, isConditional: true, "esac", lists);
            }

            while (Current != ')')
            {
                Symbol();
            }

            _at++;
            lists.Add(List());
            while (Current is ';' or '&')
            {
                _at++;
            }
        }
    }

    private ShellCommand Function(int start)
    {
        SkipBlanks();
        if (Current == '(')
        {
            Parentheses();
        }

        SkipSpace();
        var body = Command();
        return new ShellCommand(start, body.End, IsConditional: false, body.Lists);
    }

    private ShellCommand Compound(int start, bool isConditional, string end, IReadOnlyList<IReadOnlyList<ShellStatement>> lists)
    {
        Expect(end);
        return Rest(start, isConditional, lists);
    }

    private void Expect(string word)
    {
        SkipSpace();
        if (PeekWord() != word)
        {
            throw Unexpected();
        }

        Word();
    }

    // Words and redirections, up to what ends the command.
    private ShellCommand Rest(int start, bool isConditional, IReadOnlyList<IReadOnlyList<ShellStatement>> lists)
    {
        var end = _at;
        while (true)
        {
            SkipBlanks();
            if (Is("()"))
            {
                return Function(start);
            }

            if (Current is '\0' or '\n' or ';' or '|' or ')' or '#' || (Current == '&' && !Is("&>")))
            {
                return new ShellCommand(start, end, isConditional, lists);
            }

            Symbol();
            end = _at;
        }
    }

    // A word, a redirection, or an operator that is none of the caller's business.
    private void Symbol()
    {
        SkipSpace();
        if (Is("<<") && !Is("<<<"))
        {
            _at += 2;
            var isIndented = Current == '-';
            _at += isIndented ? 1 : 0;
            SkipBlanks();
            _hereDocuments.Enqueue((Word().Trim('\'', '"').TrimStart('\\'), isIndented));
        }
        else if (Is("<(") || Is(">("))
        {
            _at++;
            Parentheses();
        }
        else if (Is("&>") || Is(">&") || Is("<&") || Is(">|"))
        {
            _at += 2;
        }
        else if (Current is '<' or '>' or '&' or '|' or ';' or ')')
        {
            _at++;
        }
        else if (Current == '(')
        {
            Parentheses();
        }
        else
        {
            Word();
        }
    }

    private string PeekWord()
    {
        var end = _at;
        while (end < _text.Length && !char.IsWhiteSpace(_text[end]) && !";&|()<>".Contains(_text[end], StringComparison.Ordinal))
        {
            end++;
        }

        return _text[_at..end];
    }

    private string Word()
    {
        var start = _at;
        while (Current != '\0' && !char.IsWhiteSpace(Current) && !";&|<>)".Contains(Current, StringComparison.Ordinal))
        {
            if (Current == '(')
            {
                // Of an array; else a function's.
                if (_at == start || _text[_at - 1] != '=')
                {
                    break;
                }

                Parentheses();
            }
            else
            {
                Character();
            }
        }

        return _at > start ? _text[start.._at] : throw Unexpected();
    }

    // One character, or what belongs together: a quotation, a substitution.
    private void Character()
    {
        switch (Current)
        {
            case '\0':
                throw Unexpected();
            case '\\':
                _at = Math.Min(_at + 2, _text.Length);
                break;
            case '\'':
                _at = _text.IndexOf('\'', _at + 1) + 1;
                if (_at == 0)
                {
                    _at = _text.Length;
                    throw Unexpected();
                }

                break;
            case '"' or '`':
                Until(Current);
                break;
            case '$' when Is("$("):
                _at++;
                Parentheses();
                break;
            case '$' when Is("${"):
                _at++;
                Until('}');
                break;
            default:
                _at++;
                break;
        }
    }

    private void Until(char end)
    {
        _at++;
        while (Current != end)
        {
            // An apostrophe is none in double quotes.
            if (Current == '\'' && end == '"')
            {
                _at++;
            }
            else
            {
                Character();
            }
        }

        _at++;
    }

    private void Parentheses()
    {
        _at++;
        while (Current != ')')
        {
            if (Current == '(')
            {
                Parentheses();
            }
            else
            {
                Character();
            }
        }

        _at++;
    }

    private void SkipBlanks()
    {
        while (Current is ' ' or '\t' or '\r' || Is("\\\n"))
        {
            _at += Current == '\\' ? 2 : 1;
        }
    }

    // Also comments and ends of lines, with what a here-document has behind them.
    private void SkipSpace()
    {
        while (true)
        {
            SkipBlanks();
            if (Current == '#')
            {
                _at = _text.IndexOf('\n', _at) is >= 0 and var end ? end : _text.Length;
            }
            else if (Current == '\n')
            {
                _at++;
                while (_hereDocuments.TryDequeue(out var document))
                {
                    string line;
                    do
                    {
                        if (_at == _text.Length)
                        {
                            throw Unexpected();
                        }

                        var end = _text.IndexOf('\n', _at) is >= 0 and var found ? found : _text.Length;
                        line = _text[_at..end];
                        _at = Math.Min(end + 1, _text.Length);
                    }
                    while ((document.IsIndented ? line.TrimStart('\t') : line) != document.Word);
                }
            }
            else
            {
                return;
            }
        }
    }
}
