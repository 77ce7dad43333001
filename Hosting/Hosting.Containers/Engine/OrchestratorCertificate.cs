using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

#pragma warning disable ASPIRECERTIFICATES001

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// The certificate that the orchestrator shows to the AppHost. It makes an RSA key of 4096 bits at each start where .NET has no trusted
/// development certificate, before it answers anything: one to four seconds. A certificate of its own, made once for each user, spares
/// that. Nothing else uses it, and nothing trusts it.
/// </summary>
/// <param name="theirs">Finds .NET's development certificates, which come first.</param>
/// <param name="file">Where the certificate and its key are kept.</param>
internal sealed class OrchestratorCertificate(IDeveloperCertificateService theirs, string file) : IDeveloperCertificateService
{
    // By this the orchestrator's host knows a development certificate: dotnet/aspnetcore, CertificateManager.
    private const string DevelopmentOid = "1.3.6.1.4.1.311.84.1.1";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private readonly Lazy<ImmutableList<X509Certificate2>> _certificates = new(() => theirs.Certificates is [] ? Own(file) : theirs.Certificates);

    /// <inheritdoc/>
    public ImmutableList<X509Certificate2> Certificates => _certificates.Value;

    /// <inheritdoc/>
    public bool SupportsContainerTrust => theirs.SupportsContainerTrust;

    /// <inheritdoc/>
    public bool UseForHttps => theirs.UseForHttps;

    /// <inheritdoc/>
    public bool TrustCertificate => theirs.TrustCertificate && theirs.Certificates is not [];

    /// <inheritdoc/>
    public bool LatestCertificateIsUntrusted => theirs.LatestCertificateIsUntrusted;

    private static ImmutableList<X509Certificate2> Own(string file)
    {
        try
        {
            return [Read(file) ?? Make(file)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // The orchestrator makes its own then.
            return [];
        }
    }

    private static X509Certificate2? Read(string file)
    {
        try
        {
            var kept = File.Exists(file) ? X509Certificate2.CreateFromPemFile(file) : null;
            return kept?.NotAfter > DateTime.Now.AddDays(1) ? kept : null;
        }
        catch (CryptographicException)
        {
            // Half written, or by another program.
            return null;
        }
    }

    private static X509Certificate2 Make(string file)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        names.AddIpAddress(System.Net.IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(new X509Extension(DevelopmentOid, [1], critical: false));
        var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(5));

        // Under its name only when it is whole: another AppHost may be reading.
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var draft = $"{file}.{Environment.ProcessId}";
        using (var writer = new StreamWriter(new FileStream(draft, PrivateFile.Options(FileMode.Create))))
        {
            writer.Write($"{made.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        }

        File.Move(draft, file, overwrite: true);
        return made;
    }
}
