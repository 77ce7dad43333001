namespace UvlhubAspire.AppHost.Images;

/// <summary>Images that are built from the checkout's own Dockerfiles.</summary>
internal static class CheckoutImage
{
    /// <summary>The image of the development Dockerfile: every container with the checkout's code runs the same one.</summary>
    /// <param name="checkout">The checkout.</param>
    /// <param name="options">The settings.</param>
    /// <param name="index">Knows what pip can have.</param>
    public static ContainerImage Development(UvlhubCheckout checkout, UvlhubOptions options, PackageIndex index)
    {
        var dockerfile = checkout.DevelopmentDockerfile!;
        var inputs = () => Names.Digest(
            $"{BuildInputs.Digest(dockerfile.Path, checkout.Path, checkout.WorkingDirectory)} {options.Pip.BuildConstraint} "
            + options.Pip.Day, 16);
        var own = new ImageRecipe($"{Name(checkout)}:own", dockerfile.Path, checkout.Path, NeedsDebianBase: false, IsContentTagged: false)
        {
            Inputs = inputs,
        };
        var image = OfDevelopment(own, checkout, options, index);
        return image with { CheckoutBuild = ToolPackages.Upon(image.CheckoutBuild!, $"{Name(checkout)}:dev") };
    }

    /// <summary>An image of the development Dockerfile that is built for one service: another stage, or with other
    /// arguments.</summary>
    /// <param name="recipe">How it is built.</param>
    /// <param name="checkout">The checkout.</param>
    /// <param name="options">The settings.</param>
    /// <param name="index">Knows what pip can have.</param>
    public static ContainerImage OfDevelopment(
        ImageRecipe recipe, UvlhubCheckout checkout, UvlhubOptions options, PackageIndex index)
    {
        var dockerfile = checkout.DevelopmentDockerfile!;
        return new ContainerImage(
            RepositoryFolder.StandIn("flask"), PipAdvisor.Help(recipe, checkout, dockerfile, options.Pip, index), dockerfile.BaseImages)
        {
            StandInBuild = CheckoutRequirements.StandIn(checkout),
        };
    }

    /// <summary>The name of an image that is built from the checkout, without a tag.</summary>
    /// <param name="checkout">The checkout.</param>
    /// <param name="service">The service that has an image of its own; <see langword="null"/> for the development image.</param>
    public static string Name(UvlhubCheckout checkout, string? service = null) =>
        $"uvlhub-aspire/checkout-{Valid(checkout.Name)}{(service is null ? "" : $"-{Valid(service)}")}";

    /// <summary>The name of the image that has the code in it, without a tag; it tells clones with the same folder name apart.</summary>
    public static string Site(UvlhubCheckout checkout) =>
        $"{Name(checkout)}-{Names.Digest(checkout.Path, 8)}{checkout.Profile.ImageSuffix}";

    /// <summary>The name that the image has where it is deployed, without a tag.</summary>
    public static string Published(UvlhubCheckout checkout, UvlhubOptions.PublishOptions options) =>
        $"{(options.Registry is { Length: > 0 } registry ? $"{registry.TrimEnd('/')}/" : "")}{Valid(options.Name is { Length: > 0 } name ? name : checkout.Name)}";

    /// <summary>A name that a repository may have: lower case, and what is not allowed becomes a dash.</summary>
    public static string Valid(string name) =>
        Names.Clean(name.ToLowerInvariant(), '-').Trim('-') is { Length: > 0 } valid ? valid : "unnamed";
}
