using System.Runtime.CompilerServices;

namespace Tessera.Tensors.Kernels;

/// <summary>How loops over vectors are compiled.</summary>
internal static class Compiled
{
    /// <summary>
    /// By itself, at once and in its last form. What the compiler inlines is bounded by the size of the method that it
    /// began with, and it inlines less of what a profile of the first calls saw seldom; whatever it doesn't inline, a
    /// vector passes through memory. Nothing of it can be compiled ahead anyway: 512-bit vectors never are.
    /// </summary>
    public const MethodImplOptions Alone = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
