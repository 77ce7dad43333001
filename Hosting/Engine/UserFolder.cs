namespace UvlhubAspire.Engine;

/// <summary>What is kept for this user, outside of any checkout.</summary>
public static class UserFolder
{
    /// <summary>A folder in the user's local application data; it need not exist.</summary>
    public static string Of(string name) => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "uvlhub-aspire",
        name);
}
