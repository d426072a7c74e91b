namespace Tessera.Training;

/// <summary>Tells what one training step did.</summary>
/// <param name="Loss">The mean cross-entropy of the step's predictions in nats, as the model was before the
/// step.</param>
/// <param name="GradientNorm">The norm of all gradients before clipping.</param>
/// <param name="Tokens">The rows that went through the model.</param>
/// <param name="Predictions">The rows that had a label.</param>
/// <param name="Applied">Whether the weights were changed; not where the loss or the gradient isn't a number or
/// jumped.</param>
public readonly record struct StepResult(double Loss, double GradientNorm, int Tokens, int Predictions, bool Applied);
