using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Start;

/// <summary>The one place where the end of a run that nobody caught becomes a line on the console and an exit code.</summary>
internal static class UserErrors
{
    private const int ExitCode = 2;
    private static int s_installed;

    /// <summary>
    /// Shows a <see cref="UserErrorException"/> that nobody caught as its message alone and ends the process with exit
    /// code 2. A host that does catch it, as a test does, is not disturbed.
    /// </summary>
    public static void ShowWithoutStackTrace()
    {
        if (Interlocked.Exchange(ref s_installed, 1) == 1)
        {
            return;
        }

        AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
        {
            var causes = unhandled.ExceptionObject is AggregateException aggregate
                ? aggregate.Flatten().InnerExceptions
                : [(Exception)unhandled.ExceptionObject];
            if (causes.OfType<AnswerException>().FirstOrDefault() is { } answer)
            {
                Console.Out.Write(answer.Message);
                Environment.Exit(answer.ExitCode);
            }

            if (causes.OfType<UserErrorException>().FirstOrDefault() is { } mistake)
            {
                Console.Error.WriteLine($"UvlhubAspire: {mistake.Message}");
                Environment.Exit(ExitCode);
            }
        };
    }
}
