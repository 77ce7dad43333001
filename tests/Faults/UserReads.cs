using Xunit;

namespace UvlhubAspire.Faults;

/// <summary>Keeps the sentence that a user read in a fault, for the table in <c>docs/faults.md</c>.</summary>
internal static class UserReads
{
    /// <summary>Asserts that a sentence was printed, and keeps the whole line of it.</summary>
    /// <param name="fragment">The part of the line that matters.</param>
    /// <param name="output">All that was printed.</param>
    /// <param name="fault">The fault, where the test proves several. Default: all that it proves.</param>
    public static void Line(string fragment, string output, string? fault = null)
    {
        Assert.Contains(fragment, output, StringComparison.Ordinal);
        Sentence(output.Split('\n').First(line => line.Contains(fragment.Split('\n')[0], StringComparison.Ordinal)), fault);
    }

    /// <summary>Keeps a sentence that the test has looked at itself.</summary>
    public static void Sentence(string sentence, string? fault = null) =>
        TestContext.Current.AddAttachment(fault ?? FaultAttribute.Trait, sentence.Trim(), replaceExistingValue: true);
}
