namespace Tessera.Training.Recipes;

/// <summary>Names an optimizer.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW for every parameter (Loshchilov and Hutter 2019).</summary>
    AdamW,

    /// <summary>Muon for matrices inside the layers, AdamW for embeddings, norms and the head (Jordan 2024).</summary>
    Muon,
}
