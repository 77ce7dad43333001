using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace UvlhubAspire.Checkout;

/// <summary>A day of the calendar, or one of the words <c>auto</c> and <c>none</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DayAttribute : ValidationAttribute
{
    /// <inheritdoc/>
    public override bool IsValid(object? value) =>
        value is "auto" or "none"
        || DateTimeOffset.TryParse(value as string, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) => "auto, none or a day such as 2025-09-23";
}
