namespace Tessera.Training.Runs;

/// <summary>Says that a run begins, or goes on from a checkpoint.</summary>
public sealed record RunStarted : RunEvent
{
    /// <summary>Gets the recipe's name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the run's folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Gets whether the run goes on from a checkpoint.</summary>
    public bool Resumed { get; init; }

    /// <summary>Gets the number of learned numbers.</summary>
    public long Parameters { get; init; }

    /// <summary>Gets the steps of all stages.</summary>
    public long Steps { get; init; }

    /// <summary>Gets the tokens of all stages.</summary>
    public long Tokens { get; init; }

    /// <summary>Gets the floating-point operations of all stages.</summary>
    public double Flops { get; init; }

    /// <summary>Gets the bytes of memory that the run is expected to take at its peak.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Gets the instruction set that the kernels use.</summary>
    public string InstructionSet { get; init; } = "";

    /// <summary>Gets the number of threads.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Gets the measured peak of the matrix product in operations a second; 0 where it wasn't measured.
    /// </summary>
    public double Roof { get; init; }
}
