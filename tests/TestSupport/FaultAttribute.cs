using Xunit.v3;

namespace UvlhubAspire.TestSupport;

/// <summary>
/// Says that a test proves what happens in a fault. What happens, what becomes of the data and what a person reads is
/// said by <see cref="Proof"/>, beside the assertion that it rests on. <c>./test --faults</c> makes <c>docs/faults.md</c>
/// of it; <c>./test</c> fails where the two differ.
/// </summary>
/// <param name="area">The table that it stands in.</param>
/// <param name="fault">What goes wrong, as its owner would say it.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class FaultAttribute(FaultArea area, string fault) : Attribute, ITraitAttribute
{
    /// <summary>The trait that every such test has; FaultTable.cs reads these names.</summary>
    public const string Trait = "Fault";

    /// <summary>The table that it stands in.</summary>
    public FaultArea Area => area;

    /// <summary>What goes wrong.</summary>
    public string Fault => fault;

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        // A test may prove several faults, so each has its area under its own name.
        [new(Trait, fault), new($"{fault}/{nameof(FaultArea)}", area.ToString())];
}

/// <summary>Where a fault comes from.</summary>
public enum FaultArea
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

    /// <summary>What the images that are built from Debian's packages do, and the real images do not.</summary>
    StandIn,
}
