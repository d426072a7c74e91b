namespace Tessera.Training.Recipes;

/// <summary>Says what is done when the loss of a step is far above those before it, or not a number.</summary>
public enum SpikeAction
{
    /// <summary>Nothing, but that a loss that is not a number stops the run.</summary>
    Off,

    /// <summary>The step is left out and the run goes on.</summary>
    Skip,

    /// <summary>The run goes back to its last checkpoint and leaves the batches since then out.</summary>
    RollBack,
}
