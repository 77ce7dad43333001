using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Creates a volume with a label that says which checkout it belongs to.</summary>
/// <param name="engine">The container engine.</param>
/// <param name="logger">The log of the container that has the volume.</param>
public sealed partial class CheckoutVolume(ContainerEngine engine, ILogger logger)
{
    /// <summary>The label; its value is the checkout's path.</summary>
    public const string CheckoutLabel = "uvlhub-aspire.checkout";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Makes sure that the volume exists and belongs to the checkout. Where a volume of that name belongs to another
    /// checkout, the name gets a suffix from the path, so the next start finds the same volume again. A name that the
    /// user has set is taken as it is: sharing is then what was asked for. A checkout that was moved, and has a link at its old
    /// place, is no other one.
    /// </summary>
    /// <param name="name">The volume's name.</param>
    /// <param name="checkout">The checkout's path.</param>
    /// <param name="isNamedByUser">Whether the user chose the name.</param>
    /// <param name="cancellationToken">Ends the questions.</param>
    /// <param name="mayBeginEmpty">Whether the data of a checkout that is not there any more may be left behind. Default: yes.</param>
    /// <returns>The volume's name, and whether it was made now.</returns>
    /// <exception cref="UserErrorException">The checkout seems to have been moved here; the message has the two ways on.</exception>
    public async Task<(string Name, bool IsNew)> EnsureAsync(
        string name, string checkout, bool isNamedByUser, CancellationToken cancellationToken, bool mayBeginEmpty = true)
    {
        var owner = await OwnerAsync(name, cancellationToken);
        if (NameFor(owner, name, checkout, isNamedByUser) is var own && own != name)
        {
            var former = (Volume: name, Checkout: owner!);
            (name, owner) = (own, await OwnerAsync(own, cancellationToken));
            if (owner is not null || Directory.Exists(former.Checkout))
            {
                LogOtherOwner(former.Volume, former.Checkout, own);
            }
            else if (mayBeginEmpty)
            {
                LogLeftBehind(former.Volume, former.Checkout, own, LinkCommand(checkout, former.Checkout));
            }
            else
            {
                throw new UserErrorException(
                    $"the volume {former.Volume} has the data of the checkout {former.Checkout}, which is not there any more. Was it moved "
                    + $"to {checkout}? Then say so with a link, and start again: '{LinkCommand(checkout, former.Checkout)}'. To begin "
                    + $"with an empty volume instead: '{engine.Executable} volume create --label {CheckoutLabel}={checkout} {own}'.");
            }
        }

        var isNew = owner is null;
        if (isNew)
        {
            var created = await engine.RunAsync(
                s_limit, cancellationToken, "volume", "create", "--label", $"{CheckoutLabel}={checkout}", name);
            if (!created.Succeeded)
            {
                throw new DistributedApplicationException($"The volume {name} cannot be created: {created.Error}");
            }
        }

        LogVolume(name, isNew ? "new" : "kept from an earlier run");
        return (name, isNew);
    }

    /// <summary>The name that the checkout's volume has, or will have.</summary>
    public async Task<string> NameAsync(string name, string checkout, bool isNamedByUser, CancellationToken cancellationToken) =>
        NameFor(await OwnerAsync(name, cancellationToken), name, checkout, isNamedByUser);

    private static string NameFor(string? owner, string name, string checkout, bool isNamedByUser) =>
        !isNamedByUser && owner is { Length: > 0 } && owner != checkout && !IsLinkTo(owner, checkout)
            ? $"{name}_{Names.Digest(checkout, 8)}"
            : name;

    private static bool IsLinkTo(string path, string folder) =>
        Directory.Exists(path) && Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName is { } target
        && Path.TrimEndingDirectorySeparator(target) == Path.TrimEndingDirectorySeparator(folder);

    private static string LinkCommand(string checkout, string former) => ShellWords.Join(["ln", "-s", checkout, former]);

    /// <summary>The checkout that a volume is labelled with; empty if it has no label, <see langword="null"/> if there is
    /// no such volume.</summary>
    private async Task<string?> OwnerAsync(string name, CancellationToken cancellationToken)
    {
        var (found, _) = await engine.InspectAsync("volume", name, cancellationToken);
        return found is null ? null : found.Label(CheckoutLabel) ?? "";
    }

    [LoggerMessage(EventId = 110, Level = LogLevel.Information, Message = "The data is in the volume {Volume} ({State})")]
    private partial void LogVolume(string volume, string state);

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message = "The volume {Volume} belongs to the checkout {Owner}; this checkout "
        + "uses {Own}")]
    private partial void LogOtherOwner(string volume, string? owner, string own);

    [LoggerMessage(EventId = 113, Level = LogLevel.Warning, Message = "The volume {Volume} has the data of the checkout {Owner}, which is not "
        + "there any more; this checkout begins with an empty one, {Own}. If it was moved here, end it, say so with a link, and start again: "
        + "{Command}")]
    private partial void LogLeftBehind(string volume, string owner, string own, string command);
}
