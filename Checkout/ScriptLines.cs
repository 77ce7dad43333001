namespace UvlhubAspire.Checkout;

/// <summary>
/// Finds scripts that a Windows checkout has given carriage returns. The kernel takes those for a part of the
/// interpreter's name, and the container ends with <c>no such file or directory</c> about a file that is there.
/// </summary>
public static class ScriptLines
{
    /// <summary>Refuses a command that runs such a script of the checkout.</summary>
    /// <param name="checkout">The checkout.</param>
    /// <param name="words">The command's words, with paths as the container sees them.</param>
    /// <exception cref="UserErrorException">A script has carriage returns; the message says how to get rid of them.</exception>
    public static void Check(UvlhubCheckout checkout, IEnumerable<string> words)
    {
        foreach (var script in words.SelectMany(word => word.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(word => word.EndsWith(".sh", StringComparison.Ordinal)))
        {
            var relative = script.StartsWith($"{checkout.WorkingDirectory}/", StringComparison.Ordinal)
                ? script[(checkout.WorkingDirectory.Length + 1)..]
                : script;
            var file = Path.Combine(checkout.Path, relative);
            if (!Path.IsPathRooted(relative) && File.Exists(file) && LineWithCarriageReturn(file) is { } line)
            {
                throw new UserErrorException(
                    "the line ends with a carriage return, as Git for Windows writes them, and no shell can run that. In the checkout: "
                    + $"sed -i 's/\\r$//' {relative}; 'git config core.autocrlf input' keeps Git from writing them again",
                    file,
                    line);
            }
        }
    }

    /// <summary>The first line that ends with a carriage return, counted from 1; <see langword="null"/> if none does.</summary>
    internal static int? LineWithCarriageReturn(string file)
    {
        // Line readers take the carriage return away, so the bytes are read.
        var line = 1;
        var previous = 0;
        foreach (var current in File.ReadAllBytes(file))
        {
            if (current == '\n')
            {
                if (previous == '\r')
                {
                    return line;
                }

                line++;
            }

            previous = current;
        }

        return null;
    }
}
