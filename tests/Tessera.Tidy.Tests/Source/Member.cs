namespace Tessera.Tidy.Tests.Source;

/// <summary>Describes one declaration of a C# file.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name; empty where none was recognised.</param>
/// <param name="Header">Its code before the body, without attributes.</param>
/// <param name="IsNested">Whether it stands within a type.</param>
/// <param name="IsVisible">Whether another assembly can see it.</param>
/// <param name="TopLine">The line of its first attribute or modifier, from 0.</param>
/// <param name="FirstLine">The line of its first modifier, from 0.</param>
/// <param name="LastLine">The line of its last brace or semicolon, from 0.</param>
internal sealed record Member(
    MemberKind Kind, string Name, string Header, bool IsNested, bool IsVisible, int TopLine, int FirstLine,
    int LastLine)
{
    /// <summary>Gets the number of lines from the first modifier to the last brace.</summary>
    public int Lines => LastLine - FirstLine + 1;

    /// <summary>Gets whether it is one part of a type.</summary>
    public bool IsPartial => Kind == MemberKind.Type && Header.Contains("partial ", StringComparison.Ordinal);
}
