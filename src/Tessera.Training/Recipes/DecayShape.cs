namespace Tessera.Training.Recipes;

/// <summary>Names the form of the last steps of a warm-up–stable–decay schedule.</summary>
public enum DecayShape
{
    /// <summary>A straight line.</summary>
    Linear,

    /// <summary>One minus the square root of the part of the decay that is done.</summary>
    Sqrt,
}
