namespace Tessera.Training.Data;

/// <summary>Names a file of data and the part of it that is read.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Slice">The part.</param>
public readonly record struct SliceOfFile(string Path, DocumentSlice Slice);
