namespace Tessera.Tidy.Tests;

/// <summary>One place that breaks a rule.</summary>
/// <param name="Path">The file.</param>
/// <param name="Line">The line, from 1; 0 where the whole file is meant.</param>
/// <param name="Message">What is wrong and what is wanted.</param>
internal sealed record Finding(string Path, int Line, string Message)
{
    public override string ToString() => Line > 0 ? $"{Path}:{Line}: {Message}" : $"{Path}: {Message}";
}
