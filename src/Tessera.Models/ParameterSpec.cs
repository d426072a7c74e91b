using Tessera.Tensors;

namespace Tessera.Models;

/// <summary>Says of one parameter what it does, where, what a checkpoint calls it, and its sizes there.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Layer">The layer that it belongs to; 0 for those outside the layers.</param>
/// <param name="Name">Its tensor's name in a checkpoint.</param>
/// <param name="Shape">Its sizes as stored.</param>
/// <param name="InputMajor">Whether a matrix is stored (in, out), as GPT-2's are, and not (out, in).</param>
public sealed record ParameterSpec(ParameterKind Kind, int Layer, string Name, Shape Shape, bool InputMajor = false);
