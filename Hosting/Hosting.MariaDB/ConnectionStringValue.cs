namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// A parameter's value as one value of a connection string, quoted where needed. Aspire's own integrations put the
/// password in as it is, which breaks for a password with a semicolon; a checkout's <c>.env</c> may hold any.
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

    /// <summary>Quotes a value by the rules of ADO.NET connection strings, only where it needs it.</summary>
    public static string Quote(string value)
    {
        var plain = value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '@' or '+' or '/');
        return plain ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
