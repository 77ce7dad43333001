namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// What every container is started with that a checkout's code runs in. The migrator's tests, whose toolbox no AppHost
/// starts, have it from here too.
/// </summary>
public static class CheckoutContainer
{
    /// <summary>
    /// What a container has where the checkout's owner runs in it: the image does not know this user, and what asks for a
    /// name or a home folder finds them here.
    /// </summary>
    public static IReadOnlyDictionary<string, string> OwnersVariables { get; } =
        new Dictionary<string, string> { ["HOME"] = "/tmp", ["USER"] = "uvlhub", ["LOGNAME"] = "uvlhub" };

    /// <summary>Options of the engine's <c>run</c>.</summary>
    public static string[] Options(string workingDirectory) =>
    [
        // An init process, because as process 1 neither a shell nor Python ends when the engine asks it to.
        "--init", "--workdir", workingDirectory,
        // Python needs none of root's powers, and the toolbox is no more than the site.
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
    ];

    /// <summary>The option that makes the owner of a checkout the user; none where it is the image's.</summary>
    public static string[] UserOption(CheckoutOwner? owner) => owner is null ? [] : ["--user", owner.ToString()];
}
