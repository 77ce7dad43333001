using System.Buffers;
using System.Formats.Tar;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using CliWrap;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// Images as they would leave the machine: every layer, also what a later one has removed, and the configuration with its
/// history.
/// </summary>
internal static class ImageLayers
{
    private const int Block = 1 << 20;

    /// <summary>Reads images to the end, and says which of the texts stand in them.</summary>
    /// <param name="images">Their names or ids.</param>
    /// <param name="texts">What is looked for.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>For each text that was found the part of the archive that has it.</returns>
    public static async Task<IReadOnlyDictionary<string, string>> FindAsync(
        IEnumerable<string> images, IReadOnlyCollection<string> texts, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        await Cli.Wrap(Uvlhub.Engine.Executable)
            .WithArguments(["save", .. images])
            .WithStandardOutputPipe(PipeTarget.Create(async (archive, ct) =>
            {
                await using var parts = new TarReader(archive, leaveOpen: true);
                while (await parts.GetNextEntryAsync(cancellationToken: ct) is { } part)
                {
                    if (part.DataStream is { } content)
                    {
                        await foreach (var text in FindAsync(await OpenAsync(content, ct), texts, ct))
                        {
                            found.TryAdd(text, part.Name);
                        }
                    }
                }
            }))
            .ExecuteAsync(cancellationToken);
        return found;
    }

    // A layer is an archive of files, which stand in it as they are, compressed as a whole or not at all.
    private static async Task<Stream> OpenAsync(Stream content, CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: Block / 16));
        var head = (await reader.ReadAtLeastAsync(4, cancellationToken)).Buffer;
        var first = head.Slice(0, Math.Min(head.Length, 4)).ToArray();
        reader.AdvanceTo(head.Start);
        return first switch
        {
            [0x1f, 0x8b, ..] => new GZipStream(reader.AsStream(), CompressionMode.Decompress),
            [0x28, 0xb5, 0x2f, 0xfd] => throw new NotSupportedException("a layer is compressed by zstd, and cannot be read here"),
            _ => reader.AsStream(),
        };
    }

    private static async IAsyncEnumerable<string> FindAsync(
        Stream content, IReadOnlyCollection<string> texts, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var wanted = texts.Select(text => (Text: text, Bytes: Encoding.UTF8.GetBytes(text))).ToArray();
        // What may be the beginning of a text at the end of a block is looked at again with the next.
        var overlap = wanted.Max(text => text.Bytes.Length) - 1;
        var block = new byte[overlap + Block];
        var kept = 0;
        int read;
        while ((read = await content.ReadAtLeastAsync(block.AsMemory(kept), Block / 2, throwOnEndOfStream: false, cancellationToken)) > 0)
        {
            var filled = kept + read;
            foreach (var (text, _) in wanted.Where(one => block.AsSpan(0, filled).IndexOf(one.Bytes) >= 0))
            {
                yield return text;
            }

            kept = Math.Min(overlap, filled);
            block.AsSpan(filled - kept, kept).CopyTo(block);
        }
    }
}
