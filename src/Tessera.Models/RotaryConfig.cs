namespace Tessera.Models;

/// <summary>
/// Describes rotary positions: pairs (i, i + Dimensions/2) of a head turn by position × Theta^(-2i/Dimensions).
/// </summary>
/// <param name="Theta">The base of the wavelengths.</param>
/// <param name="Dimensions">How many of a head's first channels are turned; even, the rest stay as they are.</param>
public sealed record RotaryConfig(double Theta, int Dimensions);
