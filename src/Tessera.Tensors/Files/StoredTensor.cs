namespace Tessera.Tensors.Files;

/// <summary>
/// Says what is written of one tensor: its name in the file, its values, and the type that they get there.
/// </summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Value">The values.</param>
/// <param name="Type">The type in the file; values are rounded to the nearest where it is narrower than theirs.</param>
public readonly record struct StoredTensor(string Name, Tensor Value, DType Type)
{
    /// <summary>Stores the values as they are.</summary>
    public StoredTensor(string name, Tensor value)
        : this(name, value, value.DType)
    {
    }

    /// <summary>Gets the number of bytes that the values take in the file.</summary>
    public long Bytes => Type.Bytes(Value.Shape.Count);
}
