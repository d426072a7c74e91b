namespace Tessera.Training.Recipes;

/// <summary>Names data that is measured and never learned.</summary>
public sealed record HeldOutRecipe
{
    /// <summary>Gets the file, folder or glob.</summary>
    public string Path { get; init => field = Check.NotEmpty(value); } = "held-out";

    /// <summary>Gets the name in reports; the file's where nothing is said.</summary>
    public string? Name { get; init; }
}
