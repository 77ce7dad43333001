using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Aspire.Hosting;
using Xunit;

#pragma warning disable ASPIRECERTIFICATES001

namespace UvlhubAspire.Hosting.Containers.Tests.Engine;

public sealed class OrchestratorCertificateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-certificate-");

    private string File => Path.Combine(_folder.FullName, "kept", "orchestrator.pem");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Where_there_is_no_development_certificate_one_is_made_once_and_nothing_trusts_it()
    {
        var first = Of([]);
        var certificate = Assert.Single(first.Certificates);
        Assert.True(certificate.HasPrivateKey);
        Assert.False(first.TrustCertificate);
        Assert.False(first.UseForHttps);
        Assert.Equal(certificate.Thumbprint, Assert.Single(Of([]).Certificates).Thumbprint);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        }
    }

    [Fact]
    public void A_development_certificate_comes_first()
    {
        var own = Assert.Single(Of([]).Certificates);
        var service = Of([own]);
        Assert.Same(own, Assert.Single(service.Certificates));
        Assert.True(service.TrustCertificate);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIID")]
    public void One_that_cannot_be_read_is_made_anew(string content)
    {
        _folder.CreateSubdirectory("kept");
        System.IO.File.WriteAllText(File, content);
        var made = Assert.Single(Of([]).Certificates);
        Assert.Equal(made.Thumbprint, Assert.Single(Of([]).Certificates).Thumbprint);
    }

    [Fact]
    public void One_that_ends_soon_is_made_anew()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var old = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddHours(1));
        _folder.CreateSubdirectory("kept");
        System.IO.File.WriteAllText(File, $"{old.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}");
        Assert.NotEqual(old.Thumbprint, Assert.Single(Of([]).Certificates).Thumbprint);
    }

    [Fact]
    public void Where_nothing_can_be_kept_the_orchestrator_makes_its_own()
    {
        System.IO.File.WriteAllText(Path.Combine(_folder.FullName, "kept"), "a file where the folder should be");
        Assert.Empty(Of([]).Certificates);
    }

    private OrchestratorCertificate Of(ImmutableList<X509Certificate2> theirs) => new(new Theirs(theirs), File);

    private sealed class Theirs(ImmutableList<X509Certificate2> certificates) : IDeveloperCertificateService
    {
        public ImmutableList<X509Certificate2> Certificates => certificates;

        public bool SupportsContainerTrust => false;

        public bool UseForHttps => false;

        public bool TrustCertificate => true;

        public bool LatestCertificateIsUntrusted => false;
    }
}
