namespace Tessera.Tensors.Files;

/// <summary>Tells a path that is not there from one that the user may not see.</summary>
public static class HiddenPath
{
    /// <summary>
    /// Throws where a folder on the way may not be entered, in which case <see cref="File.Exists"/> and
    /// <see cref="Directory.Exists"/> say that nothing is there; call it before saying so.
    /// </summary>
    /// <exception cref="UnauthorizedAccessException">The system doesn't say whether the path is there.</exception>
    public static void ThrowIfHidden(string path)
    {
        try
        {
            File.GetAttributes(path);
        }
        catch (IOException)
        {
            // It is not there, or can't be: the caller knows what was wanted.
        }
    }
}
