namespace Tessera.Tensors;

/// <summary>Names the type of a tensor's elements.</summary>
public enum DType : byte
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>bfloat16: the upper half of a binary32.</summary>
    BF16,

    /// <summary>IEEE 754 binary16; stored in files, never computed in.</summary>
    F16,

    /// <summary>IEEE 754 binary64; what the references are computed in.</summary>
    F64,

    /// <summary>32-bit signed integers: token ids, positions, labels.</summary>
    I32,

    /// <summary>64-bit signed integers, as other programs store ids.</summary>
    I64,

    /// <summary>Bytes.</summary>
    U8,
}
