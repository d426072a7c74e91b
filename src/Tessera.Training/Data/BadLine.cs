namespace Tessera.Training.Data;

/// <summary>Names a line of data that can't be used, and why.</summary>
/// <param name="File">The file's path.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Reason">What is wrong with it.</param>
public sealed record BadLine(string File, long Line, string Reason)
{
    /// <summary>Returns file, line and reason as in <c>a.jsonl:3: no field "text"</c>.</summary>
    public override string ToString() => $"{File}:{Line}: {Reason}";
}
