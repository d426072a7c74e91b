namespace Tessera.Training.Recipes;

/// <summary>Says which tokens of conversations are learned.</summary>
public enum LossKind
{
    /// <summary>The assistant's words and the marker that ends them.</summary>
    Replies,

    /// <summary>Every token.</summary>
    All,
}
