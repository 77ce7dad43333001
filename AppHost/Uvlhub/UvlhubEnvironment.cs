using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>What the resources of one uvlhub share: the checkout's facts, the settings, and the passwords.</summary>
internal sealed record UvlhubEnvironment
{
    /// <summary>The checkout that runs.</summary>
    public required UvlhubCheckout Checkout { get; init; }

    /// <summary>The environment: Development, Testing, Staging, Production, Render.</summary>
    public EnvironmentProfile Profile => Checkout.Profile;

    /// <summary>The checkout's development compose file; <see langword="null"/> if it has none.</summary>
    public required ComposeFile? Compose { get; init; }

    /// <summary>What of the compose file could not be read or taken over; said at the start.</summary>
    public required ComposeFindings ComposeFindings { get; init; }

    /// <summary>The settings of section <c>Uvlhub</c>.</summary>
    public required UvlhubOptions Options { get; init; }

    /// <summary>The services that run.</summary>
    public required ServiceSelection Services { get; init; }

    /// <summary>The container engine, the one that Aspire uses.</summary>
    public required ContainerEngine Engine { get; init; }

    /// <summary>Knows what pip can have.</summary>
    public PackageIndex PackageIndex => new(Engine);

    /// <summary>The names on the engine.</summary>
    public required InstanceNames Names { get; init; }

    /// <summary>The ports on the host.</summary>
    public required HostPorts Ports { get; init; }

    /// <summary>MariaDB's root password: the checkout's, else one that is generated once and kept.</summary>
    public required IResourceBuilder<ParameterResource> RootPassword { get; init; }

    /// <summary>The application user's password: the checkout's, else one that is generated once and kept.</summary>
    public required IResourceBuilder<ParameterResource> UserPassword { get; init; }

    /// <summary>
    /// The key of Flask's sessions, so that they survive a restart and are shared by all workers: the checkout's, else one
    /// that is generated once and kept. <see langword="null"/> in environments that leave it to the checkout.
    /// </summary>
    public IResourceBuilder<ParameterResource>? SecretKey { get; init; }

    /// <summary>Where containers have the certificate of the authority that has signed the server's.</summary>
    public const string AuthorityFile = "/opt/uvlhub-aspire/database-authority.pem";

    /// <summary>The server of the database, in environments that run none; <see langword="null"/> in the others.</summary>
    public ExternalServer? ExternalServer { get; init; }

    /// <summary>What the whole is called where it is deployed.</summary>
    public string PublishedName => CheckoutImage.Valid(Options.Publish.Name is { Length: > 0 } name ? name : Checkout.Name);

    /// <summary>The site's certificate where it is deployed; <see langword="null"/> if it is served without TLS.</summary>
    public CertificateSettings? Certificate { get; init; }

    /// <summary>The images with the checkout's code in them; <see langword="null"/> where the code is mounted.</summary>
    public SiteImages? Images { get; init; }
}
