namespace Tessera.Tensors.Files;

/// <summary>What a safetensors header says of one tensor; the bytes count from the end of the header.</summary>
internal readonly record struct SafetensorsEntry(string Name, DType Type, Shape Shape, long Begin, long End);
