using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>Reads elements of one stored type as the bits of fp32 values, or as pairs of bf16 values.</summary>
internal unsafe interface IElements
{
    static abstract int Bytes { get; }

    /// <summary>Reads one element.</summary>
    static abstract uint Load(byte* from);

    /// <summary>Reads eight elements.</summary>
    static abstract Vector256<uint> Load8(byte* from);

    /// <summary>Reads sixteen elements.</summary>
    static abstract Vector512<uint> Load16(byte* from);

    /// <summary>Reads the first of sixteen elements; the others are zero and not touched.</summary>
    static abstract Vector512<uint> LoadPart(byte* from, int count);

    /// <summary>Rounds an element to bf16, which stands in the upper half.</summary>
    static abstract uint Round(uint value);

    /// <summary>Rounds two rows of elements to bf16 and weaves them: the first row's in the lower halves.</summary>
    static abstract Vector512<uint> Weave(Vector512<uint> first, Vector512<uint> second);

    /// <summary>Reads sixteen elements of two rows and weaves them.</summary>
    static abstract Vector512<uint> LoadWoven(byte* first, byte* second);

    /// <summary>Reads sixteen elements of one row, rounded to bf16, as eight pairs.</summary>
    static abstract Vector256<uint> Load8Pairs(byte* from);
}
