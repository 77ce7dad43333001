using System.Data.Common;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// A parameter's value as one value of a connection string, quoted where the grammar of connection strings would take it
/// apart: a password may have a semicolon.
/// </summary>
/// <param name="parameter">The parameter, resolved late.</param>
internal sealed class ConnectionStringValue(ParameterResource parameter) : IValueProvider, IManifestExpressionProvider, IValueWithReferences
{
    /// <inheritdoc/>
    public string ValueExpression => ((IManifestExpressionProvider)parameter).ValueExpression;

    /// <inheritdoc/>
    public IEnumerable<object> References => [parameter];

    /// <inheritdoc/>
    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) =>
        await parameter.GetValueAsync(cancellationToken) is { } value ? Quote(value) : null;

    /// <summary>Quotes a value as ADO.NET reads it, only where it needs it.</summary>
    public static string Quote(string value)
    {
        const string Key = "x";
        var pair = new StringBuilder();
        DbConnectionStringBuilder.AppendKeyValuePair(pair, Key, value);
        return pair.ToString()[$"{Key}=".Length..];
    }
}
