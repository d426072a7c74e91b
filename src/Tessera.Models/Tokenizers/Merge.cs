namespace Tessera.Models.Tokenizers;

/// <summary>States one merge: the ids of a pair and of the token that it becomes.</summary>
internal readonly record struct Merge(int Left, int Right, int Product);
