namespace Tessera.Training.Data;

/// <summary>Says what batches are cut from documents.</summary>
public sealed record BatchOptions
{
    /// <summary>Gets how documents become rows.</summary>
    public DocumentMode Mode { get; init; } = DocumentMode.Separate;

    /// <summary>Gets the number of sequences in a batch, B.</summary>
    public required int Sequences { get; init; }

    /// <summary>Gets the rows of a sequence, T: the most that one segment holds.</summary>
    public required int Length { get; init; }

    /// <summary>Gets the seed of the order.</summary>
    public required long Seed { get; init; }

    /// <summary>Gets the id that stands between documents.</summary>
    public required int EndOfText { get; init; }

    /// <summary>Gets the rows of a batch, B × T.</summary>
    public int Rows => checked(Sequences * Length);
}
