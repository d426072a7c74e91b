namespace Tessera.Training.Recipes;

/// <summary>Names the course of the learning rate after the warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>Half a cosine down to the final share at the last step.</summary>
    Cosine,

    /// <summary>Constant, then down to the final share in the last steps (warm-up, stable, decay).</summary>
    Wsd,

    /// <summary>Constant.</summary>
    Constant,
}
