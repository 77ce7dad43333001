using System.ComponentModel.DataAnnotations;

namespace UvlhubAspire.Checkout;

/// <summary>How long something waits, or after how long it is repeated.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationAttribute : ValidationAttribute
{
    internal const string Words = "a time such as 00:05:00, which is five minutes";

    /// <summary>Whether 0 has a meaning of its own. Default: no.</summary>
    public bool AllowsZero { get; init; }

    /// <summary>The shortest time, in seconds. Default: any.</summary>
    public int LeastSeconds { get; init; }

    /// <summary>The longest time, in days. Default: 49, which a timer of .NET can count.</summary>
    public int MostDays { get; init; } = 49;

    /// <inheritdoc/>
    public override bool IsValid(object? value) =>
        value is TimeSpan time && (AllowsZero ? time >= TimeSpan.Zero : time > TimeSpan.Zero)
            && time >= TimeSpan.FromSeconds(LeastSeconds) && time <= TimeSpan.FromDays(MostDays);

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) =>
        $"{Words}, {(LeastSeconds > 0 ? $"at least {TimeSpan.FromSeconds(LeastSeconds)} and " : AllowsZero ? "" : "longer than 0 and ")}"
        + $"no longer than {MostDays} days";
}
