namespace Tessera.Tidy.Tests.Source;

/// <summary>A text file of the repository, with its code and its declarations where it is C#.</summary>
internal sealed class SourceFile
{
    private readonly Lazy<string> _code;
    private readonly Lazy<IReadOnlyList<Member>> _members;

    /// <summary>Makes a file of the path from the repository's root, with slashes, and its text.</summary>
    public SourceFile(string path, string text)
    {
        Path = path;
        Text = text;
        Lines = text.Split('\n');
        _code = new(() => CodeMask.Of(text));
        _members = new(() => MemberReader.Read(Code));
    }

    /// <summary>Gets the path from the repository's root, with slashes.</summary>
    public string Path { get; }

    /// <summary>Gets the text.</summary>
    public string Text { get; }

    /// <summary>Gets the lines; the last one is empty where the text ends with a line break.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>Gets whether this is C#.</summary>
    public bool IsCSharp => Path.EndsWith(".cs", StringComparison.Ordinal);

    /// <summary>Gets whether this is C# of the product, not of its tests, benches and samples.</summary>
    public bool IsProduct => IsCSharp && Path.StartsWith("src/", StringComparison.Ordinal);

    /// <summary>Gets whether this is a project of the product.</summary>
    public bool IsProductProject => Path.EndsWith(".csproj", StringComparison.Ordinal)
        && Path.StartsWith("src/", StringComparison.Ordinal);

    /// <summary>Gets the text with all but code blanked; only for C#.</summary>
    public string Code => _code.Value;

    /// <summary>Gets the declarations; only for C#.</summary>
    public IReadOnlyList<Member> Members => _members.Value;

    /// <summary>Returns the line, from 1, of a place in the text.</summary>
    public int LineAt(int at) => Text.AsSpan(0, at).Count('\n') + 1;
}
