using Xunit;

namespace UvlhubAspire.TestSupport;

/// <summary>
/// What a test of a fault claims: each claim is made together with the assertion that it rests on, and only then it stands
/// in <c>docs/faults.md</c>. Several claims of one kind stand there one after the other.
/// </summary>
/// <remarks><c>fault</c> names the fault where the test proves several. Default: all that it proves.</remarks>
public static class Proof
{
    /// <summary>What happens in the fault.</summary>
    /// <param name="claim">The claim, in a person's words.</param>
    /// <param name="assertion">Fails where it is not so.</param>
    public static void Happens(string claim, Action assertion, string? fault = null) => Asserted(nameof(Happens), claim, assertion, fault);

    /// <inheritdoc cref="Happens(string, Action, string?)"/>
    public static Task HappensAsync(string claim, Func<Task> assertion, string? fault = null) =>
        AssertedAsync(nameof(Happens), claim, assertion, fault);

    /// <summary>What becomes of the data: what was there before is there afterwards.</summary>
    /// <param name="claim">The claim, in a person's words; it says what was compared.</param>
    public static void Data<T>(string claim, T before, T after, string? fault = null) =>
        Asserted(nameof(Data), claim, () => Assert.Equal(before, after), fault);

    /// <summary>What becomes of the data.</summary>
    /// <inheritdoc cref="Happens(string, Action, string?)"/>
    public static void Data(string claim, Action assertion, string? fault = null) => Asserted(nameof(Data), claim, assertion, fault);

    /// <inheritdoc cref="Data(string, Action, string?)"/>
    public static Task DataAsync(string claim, Func<Task> assertion, string? fault = null) =>
        AssertedAsync(nameof(Data), claim, assertion, fault);

    /// <summary>What a person reads: the whole line in which a text was printed.</summary>
    /// <param name="fragment">The part of the line that matters.</param>
    /// <param name="output">All that was printed.</param>
    public static void Reads(string fragment, string output, string? fault = null)
    {
        Assert.Contains(fragment, output, StringComparison.Ordinal);
        Attach(nameof(Reads), output.Split('\n').First(line => line.Contains(fragment.Split('\n')[0], StringComparison.Ordinal)), fault);
    }

    /// <summary>What a person reads, where the test has looked at it itself.</summary>
    public static void Sentence(string sentence, string? fault = null) => Attach(nameof(Reads), sentence, fault);

    private static void Asserted(string kind, string claim, Action assertion, string? fault)
    {
        assertion();
        Attach(kind, claim, fault);
    }

    private static async Task AssertedAsync(string kind, string claim, Func<Task> assertion, string? fault)
    {
        await assertion();
        Attach(kind, claim, fault);
    }

    // The number keeps the claims of one kind apart, and in order.
    private static void Attach(string kind, string text, string? fault)
    {
        var name = $"{fault ?? FaultAttribute.Trait}/{kind}/";
        var earlier = TestContext.Current.Attachments?.Keys.Count(key => key.StartsWith(name, StringComparison.Ordinal)) ?? 0;
        TestContext.Current.AddAttachment($"{name}{earlier + 1}", text.Trim());
    }
}
