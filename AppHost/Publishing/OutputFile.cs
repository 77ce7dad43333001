using System.Text;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>A file that publishing writes.</summary>
/// <param name="Path">Relative to the target's folder, with slashes.</param>
/// <param name="Content">The content.</param>
internal sealed record OutputFile(string Path, ReadOnlyMemory<byte> Content)
{
    /// <summary>A file of text.</summary>
    public static OutputFile Text(string path, string text) => new(path, Encoding.UTF8.GetBytes(text));

    /// <summary>A file for a container, on engines whose names come and go with the containers.</summary>
    public static OutputFile WithDynamicNames(PublishedFile file) => file.IsConfiguration
        ? Text(file.Path, DynamicUpstreams.Rewrite(Encoding.UTF8.GetString(file.Content.Span)))
        : new(file.Path, file.Content);
}

/// <summary>A kind of place that the model can be deployed to.</summary>
internal interface IPublishTarget
{
    /// <summary>The target's name: the folder, and the last word of the step.</summary>
    string Name { get; }

    /// <summary>What the step does, for <c>aspire do --list-steps</c>.</summary>
    string Description { get; }

    /// <summary>Spells the model.</summary>
    IEnumerable<OutputFile> Write(PublishedModel model);

    /// <summary>What of the model the target has no word for, in a line each.</summary>
    IEnumerable<string> Lacks(PublishedModel model);
}
