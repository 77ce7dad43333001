namespace UvlhubAspire.AppHost.Images;

/// <summary>How much of an image is built.</summary>
internal enum BuildEffort
{
    /// <summary>Nothing, if an image of this name says all about its content and is there.</summary>
    IfMissing,

    /// <summary>The steps whose inputs have changed.</summary>
    WhatChanged,

    /// <summary>Every step, also to get newer packages.</summary>
    FromScratch,
}
