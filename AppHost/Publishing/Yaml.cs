using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.EventEmitters;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>Writes YAML that older readers take for the same: what they would read as a number or a switch is quoted.</summary>
internal static class Yaml
{
    private static readonly ISerializer s_serializer = new SerializerBuilder()
        .WithQuotingNecessaryStrings(quoteYaml1_1Strings: true)
        .WithIndentedSequences()
        .DisableAliases()
        .WithEventEmitter(next => new LiteralBlockEmitter(next))
        .Build();

    /// <summary>Writes mappings, lists and scalars.</summary>
    public static string Write(object value) => s_serializer.Serialize(value);
}

/// <summary>Writes text of several lines line by line.</summary>
internal sealed class LiteralBlockEmitter(IEventEmitter next) : ChainedEventEmitter(next)
{
    public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
    {
        if (eventInfo.Source.Value is string text && text.Contains('\n', StringComparison.Ordinal))
        {
            eventInfo.Style = ScalarStyle.Literal;
        }

        base.Emit(eventInfo, emitter);
    }
}

/// <summary>A mapping that keeps its order and leaves out what is empty.</summary>
internal sealed class YamlMap : Dictionary<string, object>
{
    /// <summary>A mapping of items.</summary>
    public static YamlMap Of<T>(IEnumerable<T> items, Func<T, string> key, Func<T, object> value)
    {
        var map = new YamlMap();
        foreach (var item in items)
        {
            map.Add(key(item), value(item));
        }

        return map;
    }

    /// <summary>Adds a key unless the value is nothing, or empty.</summary>
    /// <returns>The same mapping.</returns>
    public YamlMap With(string key, object? value)
    {
        if (value is not (null or "" or System.Collections.ICollection { Count: 0 }))
        {
            Add(key, value);
        }

        return this;
    }
}
