namespace Tessera.Tensors.Files;

/// <summary>
/// What a safetensors header says of one tensor; the bytes count from the end of the header. It is a class because the
/// lists of a library's own structs would have to be compiled each time a program starts.
/// </summary>
internal sealed record SafetensorsEntry(string Name, DType Type, Shape Shape, long Begin, long End);
