namespace Tessera.Training.Data;

/// <summary>Holds a source of a mixture: its documents, and how much of a run may come from them.</summary>
/// <param name="Pool">The documents.</param>
/// <param name="Weight">The share of all rows relative to the other sources; null to go by size.</param>
/// <param name="Cap">The largest share of all rows, from 0 to 1.</param>
/// <param name="Passes">The most passes over the documents in the run.</param>
public sealed record MixtureSource(
    DocumentPool Pool, double? Weight = null, double Cap = 1, double Passes = double.PositiveInfinity);
