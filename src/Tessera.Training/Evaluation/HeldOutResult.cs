namespace Tessera.Training.Evaluation;

/// <summary>Holds what was measured on one held-out set.</summary>
/// <param name="Name">The set.</param>
/// <param name="Documents">The documents that were begun.</param>
/// <param name="Predictions">The tokens that were predicted.</param>
/// <param name="Bytes">The bytes of text that they stand for.</param>
/// <param name="Characters">The characters of text that they stand for.</param>
/// <param name="Nats">The sum of the losses.</param>
public sealed record HeldOutResult(
    string Name, long Documents, long Predictions, long Bytes, long Characters, double Nats)
{
    /// <summary>Gets the mean loss of a token.</summary>
    public double Loss => Nats / Predictions;

    /// <summary>Gets the bits that a byte of text costs.</summary>
    public double BitsPerByte => Nats / Math.Log(2) / Bytes;

    /// <summary>Gets the natural units that a character of text costs.</summary>
    public double NatsPerCharacter => Nats / Characters;

    /// <summary>Gets the perplexity of a token.</summary>
    public double Perplexity => Math.Exp(Loss);
}
