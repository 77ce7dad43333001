using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace UvlhubAspire.TestSupport;

/// <summary>Signs up and uploads as a visitor's browser does. Each sign-up is a new visitor; the latest of them uploads.</summary>
internal sealed partial class LedgerVisitor : IDisposable
{
    private const string SignUpPage = "/signup";
    private const string UploadPage = "/featuremodel/upload";
    private readonly Uri _site;
    private readonly HttpClient _client;

    // A form serves for any number of sign-ups as long as its cookie stays that of nobody.
    private volatile Session? _nobody;
    private volatile Session? _somebody;

    public LedgerVisitor(Uri site, SocketsHttpHandler connect)
    {
        // Followed, a redirect would hide what the site answered to the write. On a connection that was used before, the
        // client might send a request twice; and one of its own for each shows where none is to be had.
        connect.UseCookies = false;
        connect.AllowAutoRedirect = false;
        connect.PooledConnectionLifetime = TimeSpan.Zero;
        _site = site;
        _client = new HttpClient(connect) { BaseAddress = site, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Whether anybody has signed up who can upload.</summary>
    public bool HasAccount => _somebody is not null;

    /// <summary>Writes a row; returns when the site has acknowledged it.</summary>
    /// <exception cref="HttpRequestException">It has not. With a status code where it said something else.</exception>
    public async Task WriteAsync(string value, LedgerKind kind, CancellationToken cancellationToken)
    {
        if (kind == LedgerKind.SignUp)
        {
            var nobody = _nobody ??= await SessionAsync(cancellationToken);
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["csrf_token"] = nobody.CsrfToken,
                ["name"] = "Ledger",
                ["surname"] = "Visitor",
                ["email"] = LedgerRows.Address(value),
                ["password"] = value,
            });
            using var answer = await PostAsync(SignUpPage, form, nobody, cancellationToken);
            if (PlaceOf(answer) != "/")
            {
                // Its key or its time may be over: the next one takes a new form.
                _nobody = null;
                throw Unexpected(SignUpPage, answer);
            }

            _somebody = nobody with { Cookies = [.. nobody.Cookies, .. CookiesOf(answer)] };
        }
        else
        {
            var somebody = _somebody ?? throw new InvalidOperationException("nobody has signed up");
            using var form = new MultipartFormDataContent
            {
                { new StringContent(somebody.CsrfToken), "csrf_token" },
                { new StringContent(value), "title" },
                { new StringContent("A line of a ledger."), "description" },
                { new StringContent(""), "tags" },
                // A file that no other upload has, so that the site must store it too.
                { new ByteArrayContent(Encoding.UTF8.GetBytes($"features\n    {value.Replace('-', '_')}\n")), "file", "ledger.uvl" },
            };
            using var answer = await PostAsync(UploadPage, form, somebody, cancellationToken);
            if (!Model().IsMatch(PlaceOf(answer) ?? ""))
            {
                throw Unexpected(UploadPage, answer);
            }
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<Session> SessionAsync(CancellationToken cancellationToken)
    {
        using var answer = await _client.GetAsync(SignUpPage, cancellationToken);
        return answer.IsSuccessStatusCode && CsrfForm.Token(await answer.Content.ReadAsStringAsync(cancellationToken)) is { } token
            ? new Session(token, CookiesOf(answer))
            : throw Unexpected(SignUpPage, answer);
    }

    private async Task<HttpResponseMessage> PostAsync(string page, HttpContent form, Session session, CancellationToken cancellationToken)
    {
        var cookies = new CookieContainer();
        foreach (var cookie in session.Cookies)
        {
            cookies.SetCookies(_site, cookie);
        }

        var address = new Uri(_site, page);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = form };
        if (cookies.GetCookieHeader(address) is { Length: > 0 } sent)
        {
            request.Headers.Add("Cookie", sent);
        }

        // Flask-WTF asks for it where the site is reached by TLS.
        request.Headers.Referrer = address;
        // The first line says it: a page that breaks off afterwards takes nothing back.
        return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private string? PlaceOf(HttpResponseMessage answer) =>
        answer.StatusCode is HttpStatusCode.Found or HttpStatusCode.SeeOther && answer.Headers.Location is { } location
            ? new Uri(_site, location).AbsolutePath
            : null;

    private static HttpRequestException Unexpected(string page, HttpResponseMessage answer) => new(
        $"{answer.RequestMessage?.Method} {page} was answered {(int)answer.StatusCode} {answer.Headers.Location}".TrimEnd(),
        inner: null,
        answer.StatusCode);

    private static string[] CookiesOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? [.. cookies] : [];

    [GeneratedRegex("^/featuremodel/[0-9]+$")]
    private static partial Regex Model();

    // Flask's session is in its cookie; who signs up keeps the token of the form.
    private sealed record Session(string CsrfToken, string[] Cookies);
}
