using System.Security.Cryptography;
using System.Text;

namespace UvlhubAspire.Engine;

/// <summary>Makes names out of what people have called something.</summary>
public static class Names
{
    /// <summary>A name in which every character that is not allowed has become another one.</summary>
    /// <param name="name">The name.</param>
    /// <param name="other">What stands for those that are not allowed.</param>
    /// <param name="allowed">What is allowed beside the letters and digits of ASCII.</param>
    public static string Clean(string name, char other, string allowed = "") =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || allowed.Contains(c) ? c : other));

    /// <summary>The beginning of a text's SHA-256, in hexadecimal digits.</summary>
    public static string Digest(string text, int length) => Digest(Encoding.UTF8.GetBytes(text), length);

    /// <summary>The beginning of a content's SHA-256, in hexadecimal digits.</summary>
    public static string Digest(ReadOnlySpan<byte> content, int length) => Convert.ToHexStringLower(SHA256.HashData(content))[..length];
}
