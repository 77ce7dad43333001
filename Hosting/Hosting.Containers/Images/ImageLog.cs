using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

internal static partial class ImageLog
{
    [LoggerMessage(EventId = 200, Level = LogLevel.Information, Message = "{Resource} runs {Image}: {Reason}")]
    public static partial void Chosen(ILogger logger, string resource, string image, string reason);

    [LoggerMessage(EventId = 201, Level = LogLevel.Information, Message = "Building image {Image}; the first time this takes "
        + "minutes")]
    public static partial void Building(ILogger logger, string image);

    [LoggerMessage(EventId = 202, Level = LogLevel.Information, Message = "{Line}")]
    public static partial void BuildOutput(ILogger logger, string line);

    [LoggerMessage(EventId = 203, Level = LogLevel.Information, Message = "Built image {Image}")]
    public static partial void Built(ILogger logger, string image);

    [LoggerMessage(EventId = 204, Level = LogLevel.Error, Message = "{Resource} cannot start. {Reason}")]
    public static partial void NotBrought(ILogger logger, string resource, string reason);

    [LoggerMessage(EventId = 205, Level = LogLevel.Warning, Message = "{Count} entries of {File} are not in the image {Image}; a module "
        + "that imports them does not load: {Missing}")]
    public static partial void RequirementsMissing(ILogger logger, int count, string file, string image, string missing);

    [LoggerMessage(EventId = 206, Level = LogLevel.Warning, Message = "{Resource} cannot run: {Reason}")]
    public static partial void OutOfReach(ILogger logger, string resource, string reason);

    [LoggerMessage(EventId = 207, Level = LogLevel.Warning, Message = "{Resource} starts without waiting for {Service}, which cannot run")]
    public static partial void NotAwaited(ILogger logger, string resource, string service);

    [LoggerMessage(EventId = 208, Level = LogLevel.Information, Message = "Pulling {Image}{Progress}")]
    public static partial void Pulling(ILogger logger, string image, string progress);

    [LoggerMessage(EventId = 209, Level = LogLevel.Warning, Message = "{Dockerfile} does not build as it is, but "
        + "there is another way. It said: {Said}")]
    public static partial void OtherWay(ILogger logger, string dockerfile, string said);

    [LoggerMessage(EventId = 210, Level = LogLevel.Information, Message = "{Images} has been pulled: {Resource}'s next start takes it in "
        + "place of {StandIn}")]
    public static partial void CameLater(ILogger logger, string resource, string images, string standIn);

    [LoggerMessage(EventId = 211, Level = LogLevel.Information, Message = "{Images} has been pulled, but {Resource} stays with {StandIn}, "
        + "{Reason}")]
    public static partial void CameInVain(ILogger logger, string resource, string images, string standIn, string reason);
}
