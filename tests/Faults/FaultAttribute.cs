using Xunit.v3;

namespace UvlhubAspire.Faults;

/// <summary>
/// Says that a test proves what happens in a fault. <c>./test --faults</c> runs the tests that have it, and makes
/// <c>docs/faults.md</c> of it and of what they saw; <c>./test</c> fails where the two differ.
/// </summary>
/// <param name="area">The table that it stands in.</param>
/// <param name="fault">What goes wrong, as its owner would say it.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class FaultAttribute(FaultArea area, string fault) : Attribute, ITraitAttribute
{
    /// <summary>The trait that every such test has; Table.cs reads these names.</summary>
    public const string Trait = "Fault";

    /// <summary>What happens then.</summary>
    public required string Happens { get; init; }

    /// <summary>What becomes of the data, and how that was seen. Default: nothing was started that could harm it.</summary>
    public string Data { get; init; } = "nothing was started";

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
    [
        // A test may prove several faults, so each has its facts under its own name.
        new(Trait, fault),
        new($"{fault}/{nameof(FaultArea)}", area.ToString()),
        new($"{fault}/{nameof(Happens)}", Happens),
        new($"{fault}/{nameof(Data)}", Data),
    ];
}

/// <summary>Where a fault comes from.</summary>
internal enum FaultArea
{
    /// <summary>MariaDB, its process and its volume.</summary>
    Database,

    /// <summary>The migrator, its commands and the checkout's revisions.</summary>
    Migration,

    /// <summary>The checkout: its folder, its settings, its images.</summary>
    Checkout,

    /// <summary>The container engine, its tools and the registry.</summary>
    Engine,

    /// <summary>The AppHost's process, and the machine under it.</summary>
    Machine,

    /// <summary>What was published and runs without the AppHost.</summary>
    Production,
}
