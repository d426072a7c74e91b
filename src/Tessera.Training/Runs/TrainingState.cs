using Tessera.Training.Data;

namespace Tessera.Training.Runs;

/// <summary>Holds everything beside weights and moments that a run needs to go on as if it had never stopped.</summary>
public sealed record TrainingState
{
    /// <summary>The version of the form.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Gets the version of the form.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Gets the steps done, over all stages.</summary>
    public required long Step { get; init; }

    /// <summary>Gets the stage, from 0.</summary>
    public required int Stage { get; init; }

    /// <summary>Gets the steps done of this stage.</summary>
    public required long StageStep { get; init; }

    /// <summary>Gets the tokens learned, over all stages.</summary>
    public required long Tokens { get; init; }

    /// <summary>Gets where the data stands.</summary>
    public required DataPosition Data { get; init; }

    /// <summary>Gets the instruction set that the run was computed with.</summary>
    public required string InstructionSet { get; init; }

    /// <summary>Gets the states of the random numbers by name.</summary>
    public IReadOnlyDictionary<string, ulong[]> Random { get; init; } = new Dictionary<string, ulong[]>();

    /// <summary>Gets other numbers that the run keeps, by name.</summary>
    public IReadOnlyDictionary<string, double> Numbers { get; init; } = new Dictionary<string, double>();

    /// <summary>Gets the held-out loss of this checkpoint; none where it wasn't measured.</summary>
    public double? HeldOutLoss { get; init; }

    /// <summary>
    /// Gets the lowest held-out loss of the stage so far; none before its first measurement.
    /// </summary>
    public double? BestHeldOutLoss { get; init; }

    /// <summary>Gets how many measurements of the stage have gone by since the lowest.</summary>
    public int Rises { get; init; }

    /// <summary>Gets the seconds that the run has taken, over all its sittings.</summary>
    public double Seconds { get; init; }

    /// <summary>Returns one of <see cref="Numbers"/>.</summary>
    /// <exception cref="InvalidDataException">There is none of that name.</exception>
    internal double Number(string name) => Numbers.TryGetValue(name, out double number)
        ? number
        : throw new InvalidDataException($"training state of step {Step}: numbers.{name} is missing");
}
