namespace UvlhubAspire.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    /// <summary>The checkout; a copy of it is measured.</summary>
    public required string Checkout { get; init; }

    /// <summary>Where the results are written.</summary>
    public required string Output { get; init; }

    /// <summary>How often both sides are started cold and warm, in turns.</summary>
    public required int Rounds { get; init; }

    /// <summary>Fewer rounds and smaller sizes.</summary>
    public required bool IsQuick { get; init; }

    /// <summary>The sections to run.</summary>
    public required IReadOnlyList<string> Sections { get; init; }

    /// <summary>After this no further section begins.</summary>
    public required TimeSpan Limit { get; init; }

    /// <summary>How often each edit, each kill and each check is repeated.</summary>
    public int Repetitions => IsQuick ? 3 : 5;

    /// <summary>How many environments run side by side.</summary>
    public IReadOnlyList<int> Instances => IsQuick ? [1, 2] : [1, 2, 4];

    /// <summary>How many revisions the generated checkouts have.</summary>
    public IReadOnlyList<int> Revisions => IsQuick ? [10, 100] : [10, 100, 1000];
}
