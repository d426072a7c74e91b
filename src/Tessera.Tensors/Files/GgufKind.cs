namespace Tessera.Tensors.Files;

/// <summary>Names the type of a value in a GGUF file's metadata, by the format's numbers.</summary>
public enum GgufKind
{
    /// <summary>An unsigned byte.</summary>
    U8 = 0,

    /// <summary>A signed byte.</summary>
    I8 = 1,

    /// <summary>16 bits without a sign.</summary>
    U16 = 2,

    /// <summary>16 bits with a sign.</summary>
    I16 = 3,

    /// <summary>32 bits without a sign.</summary>
    U32 = 4,

    /// <summary>32 bits with a sign.</summary>
    I32 = 5,

    /// <summary>IEEE 754 binary32.</summary>
    F32 = 6,

    /// <summary>A byte that is 0 or 1.</summary>
    Bool = 7,

    /// <summary>A length in 64 bits, then so many bytes of UTF-8.</summary>
    Text = 8,

    /// <summary>The kind of the elements in 32 bits, how many in 64, then the elements.</summary>
    List = 9,

    /// <summary>64 bits without a sign.</summary>
    U64 = 10,

    /// <summary>64 bits with a sign.</summary>
    I64 = 11,

    /// <summary>IEEE 754 binary64.</summary>
    F64 = 12,
}
