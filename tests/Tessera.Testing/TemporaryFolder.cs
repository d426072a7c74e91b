namespace Tessera.Testing;

/// <summary>A folder of its own for one test, removed with all that is in it.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("tessera-").FullName;

    /// <summary>Returns a path inside the folder.</summary>
    public string Path(string relative) => System.IO.Path.Combine(_path, relative);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
