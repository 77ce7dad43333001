namespace UvlhubAspire.AppHost.Production;

/// <summary>A deployment has failed; no request has.</summary>
/// <param name="reason">Why, which version serves if that is not the one from before, and what to do.</param>
internal sealed class DeploymentException(string reason) : Exception(reason);
