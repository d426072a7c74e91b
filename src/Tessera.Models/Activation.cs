namespace Tessera.Models;

/// <summary>Names what stands between the two halves of a feed-forward layer.</summary>
public enum Activation
{
    /// <summary>SiLU of the gate times the other projection: three matrices.</summary>
    SwiGlu,

    /// <summary>GELU (tanh form) of the gate times the other projection: three matrices.</summary>
    GeGluTanh,

    /// <summary>GELU in the tanh form, as GPT-2 has it: two matrices.</summary>
    GeluTanh,

    /// <summary>GELU with the error function: two matrices.</summary>
    Gelu,
}
