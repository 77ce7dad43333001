namespace UvlhubAspire.Runner.Database;

/// <summary>
/// The connection that held the lock is gone, because the server is: whatever else failed at that moment failed because
/// of it, and another migrator may be at work by now.
/// </summary>
internal sealed class LockLostException(string database, Exception inner)
    : Exception($"the connection to MariaDB broke while {database} was being changed ({inner.Message.ReplaceLineEndings(" ")})", inner);
