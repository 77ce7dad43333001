namespace UvlhubAspire.Engine;

/// <summary>Passes a program's output on line by line and keeps the last lines, which hold the cause if it fails.</summary>
/// <param name="forward">What happens with each line.</param>
/// <param name="kept">How many lines are kept. Default: 15, as many as people are shown.</param>
public sealed class OutputTail(Action<string> forward, int kept = 15)
{
    private readonly Queue<string> _lines = new();
    private readonly Lock _lock = new();

    /// <summary>Takes one line.</summary>
    public void Add(string line)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        lock (_lock)
        {
            _lines.Enqueue(line);
            while (_lines.Count > kept)
            {
                _lines.Dequeue();
            }
        }

        forward(line);
    }

    /// <summary>The last lines.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The last lines, one below the other.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Lines);
}
