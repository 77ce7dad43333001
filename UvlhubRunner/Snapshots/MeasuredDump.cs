using System.Diagnostics;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// Looks at an SQL dump as it flows by: how long it is, how long its longest statement is, how it ends, when the first
/// table appears. It holds on to nothing but the last bytes.
/// </summary>
/// <param name="report">Called with the bytes so far: at once, then a few times a second.</param>
internal sealed class MeasuredDump(Action<long>? report = null)
{
    private const int BufferLength = 128 * 1024;
    private const int TailLength = 256;
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromMilliseconds(250);
    private readonly TaskCompletionSource _dataStarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _tail = [];
    private long _statement;
    private long? _reported;

    public long Length { get; private set; }

    public long LongestStatement { get; private set; }

    /// <summary>Done when the dump program writes more than its head, so that its transaction has begun.</summary>
    public Task DataStarted => _dataStarted.Task;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        MeasureStatements(bytes);
        Length += bytes.Length;
        KeepTail(bytes);
        // A marker that is split over two reads is missed; there are more of them, and an end.
        if (!_dataStarted.Task.IsCompleted && (bytes.IndexOf("\n-- Table structure for "u8) >= 0 || bytes.IndexOf("\n-- Dump"u8) >= 0))
        {
            _dataStarted.TrySetResult();
        }

        if (report is not null && (_reported is not { } last || Stopwatch.GetElapsedTime(last) >= s_reportInterval))
        {
            _reported = Stopwatch.GetTimestamp();
            report(Length);
        }
    }

    /// <summary>Takes the rest of a stream and passes it on.</summary>
    /// <param name="passed">Called for each piece.</param>
    public async Task CopyAsync(Stream from, Stream to, Action passed, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferLength];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            passed();
            Add(buffer.AsSpan(0, read));
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    /// <summary>Whether the last line that is not empty begins with this.</summary>
    public bool LastLineStartsWith(ReadOnlySpan<byte> text)
    {
        var tail = _tail.AsSpan().TrimEnd((byte)'\n');
        return tail[(tail.LastIndexOf((byte)'\n') + 1)..].StartsWith(text);
    }

    // In a dump a line ends with ';' exactly where a statement does: line ends inside values are escaped.
    private void MeasureStatements(ReadOnlySpan<byte> bytes)
    {
        var start = 0;
        while (start < bytes.Length)
        {
            var end = bytes[start..].IndexOf((byte)'\n');
            if (end < 0)
            {
                _statement += bytes.Length - start;
                break;
            }

            end += start;
            _statement += end + 1 - start;
            var beforeEnd = end > 0 ? bytes[end - 1] : _tail.LastOrDefault();
            if (beforeEnd == (byte)';')
            {
                LongestStatement = Math.Max(LongestStatement, _statement);
                _statement = 0;
            }

            start = end + 1;
        }

        LongestStatement = Math.Max(LongestStatement, _statement);
    }

    private void KeepTail(ReadOnlySpan<byte> bytes)
    {
        byte[] joined = [.. _tail, .. bytes[^Math.Min(bytes.Length, TailLength)..]];
        _tail = joined[^Math.Min(joined.Length, TailLength)..];
    }
}
