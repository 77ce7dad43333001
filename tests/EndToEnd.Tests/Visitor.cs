using System.Diagnostics;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// Somebody who uses the sample site as people do: with forms, cookies and files. A bad answer is an
/// <see cref="HttpRequestException"/>.
/// </summary>
internal sealed class Visitor : IDisposable
{
    /// <summary>What stands on every page for somebody who is logged in.</summary>
    public const string LoggedIn = "Log out";

    private readonly HttpClient _client;

    /// <param name="site">The site's address.</param>
    /// <param name="connection">Makes its connections. Default: an ordinary one's.</param>
    public Visitor(Uri site, SocketsHttpHandler? connection = null)
    {
        connection ??= new SocketsHttpHandler();
        // On a kept connection that the server closes at the wrong moment the handler asks again, in silence. On one of its
        // own every request that fails is seen.
        connection.PooledConnectionLifetime = TimeSpan.Zero;
        _client = new HttpClient(connection) { BaseAddress = site, Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>What the longest answer has taken.</summary>
    public TimeSpan LongestWait { get; private set; }

    /// <summary>Reads a page.</summary>
    public async Task<string> ReadAsync(string path, CancellationToken cancellationToken) =>
        (await AskAsync(HttpMethod.Get, path, null, cancellationToken)).Text;

    /// <summary>Makes an account, and is logged in with it.</summary>
    public async Task SignUpAsync(CancellationToken cancellationToken)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["csrf_token"] = await TokenAsync("/signup", cancellationToken),
            ["name"] = "Ada",
            ["surname"] = "Lovelace",
            ["email"] = $"{Guid.NewGuid():n}@example.org",
            ["password"] = "1234-of-Ada",
        });
        await SendAsync("/signup", form, LoggedIn, cancellationToken);
    }

    /// <summary>Uploads a feature model that nobody else has.</summary>
    public async Task<Upload> UploadAsync(CancellationToken cancellationToken)
    {
        var (name, token) = ($"Feature{Guid.NewGuid():n}", await TokenAsync("/featuremodel/upload", cancellationToken));
        var text = $"features\n    {name}\n";
        using var form = new MultipartFormDataContent
        {
            { new StringContent(token), "csrf_token" },
            { new StringContent(name), "title" },
            { new StringContent("Made up"), "description" },
            { new StringContent(text), "file", $"{name}.uvl" },
        };
        var answer = await SendAsync("/featuremodel/upload", form, "Uploaded.", cancellationToken);
        return new Upload(answer.Path, text);
    }

    /// <summary>Downloads what was uploaded.</summary>
    public Task<string> DownloadAsync(Upload upload, CancellationToken cancellationToken) =>
        ReadAsync($"{upload.Path}/download", cancellationToken);

    public void Dispose() => _client.Dispose();

    private async Task<string> TokenAsync(string path, CancellationToken cancellationToken) =>
        CsrfForm.Token(await ReadAsync(path, cancellationToken)) ?? throw new HttpRequestException($"{path} has no form");

    private async Task<(string Path, string Text)> SendAsync(
        string path, HttpContent form, string says, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(HttpMethod.Post, path, form, cancellationToken);
        return answer.Text.Contains(says, StringComparison.Ordinal)
            ? answer : throw new HttpRequestException($"POST {path}: the answer does not say '{says}'");
    }

    // Where it led, and what stands there.
    private async Task<(string Path, string Text)> AskAsync(
        HttpMethod method, string path, HttpContent? form, CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = form };
            // With TLS the site accepts a form only from its own pages.
            request.Headers.Referrer = _client.BaseAddress;
            using var answer = await _client.SendAsync(request, cancellationToken);
            var text = await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken);
            return (answer.RequestMessage!.RequestUri!.AbsolutePath, text);
        }
        catch (Exception exception) when (
            exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(
                $"{method} {path}: {exception.Message}", exception, (exception as HttpRequestException)?.StatusCode);
        }
        finally
        {
            var taken = Stopwatch.GetElapsedTime(begun);
            LongestWait = taken > LongestWait ? taken : LongestWait;
        }
    }
}

/// <summary>A feature model on the site.</summary>
/// <param name="Path">Its page.</param>
/// <param name="Text">What was uploaded.</param>
internal sealed record Upload(string Path, string Text);
