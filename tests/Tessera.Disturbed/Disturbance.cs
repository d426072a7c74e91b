using System.Text.Json;
using System.Text.Json.Nodes;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;

namespace Tessera.Disturbed;

/// <summary>Changes the values of reference files noticeably and keeps their form.</summary>
internal static class Disturbance
{
    /// <summary>Disturbs a file in place.</summary>
    public static void Apply(string path, Leaves leaves)
    {
        switch (Path.GetExtension(path))
        {
            case ".safetensors":
                ApplyToTensors(path);
                break;
            case ".json":
                JsonNode root = JsonNode.Parse(File.ReadAllText(path))!;
                File.WriteAllText(path, Changed(root, leaves, true)!.ToJsonString());
                break;
            case ".gguf" or ".f32":
                ApplyToSingles(path);
                break;
            default:
                // Every word with an e in it is another word now.
                File.WriteAllText(path, File.ReadAllText(path).Replace('e', 'o'));
                break;
        }
    }

    /// <summary>
    /// Turns the sign of every 16th number in a file's second half, where a small GGUF file has nothing but weights.
    /// </summary>
    private static void ApplyToSingles(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        for (int i = bytes.Length / 128 * 64; i + 3 < bytes.Length; i += 64)
        {
            bytes[i + 3] ^= 0x80;
        }

        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Changes one value in each row of each tensor.</summary>
    private static void ApplyToTensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        List<StoredTensor> tensors = [];
        foreach (string name in file.Names)
        {
            Tensor copy = Tensor.Allocate(file[name].Shape, file[name].DType);
            Conversion.Copy(file[name], copy);
            double[] values = Goldens.ToDoubles(copy);
            double step = Math.Max(Goldens.Largest(values) / 2, 0.5);
            int columns = Math.Max(copy.Shape.Columns, 1);
            for (int row = 0; row < values.Length / columns; row++)
            {
                Change(copy, values.AsSpan(row * columns, columns), row * columns, step);
            }

            tensors.Add(new StoredTensor(name, copy));
        }

        SafetensorsWriter.Write(path, tensors, file.Metadata.Count > 0 ? file.Metadata : null);
    }

    /// <summary>Changes a row's first value that may be changed: a finite number, or an id that stays an id.</summary>
    private static void Change(Tensor tensor, ReadOnlySpan<double> row, int offset, double step)
    {
        for (int i = 0; i < row.Length; i++)
        {
            if (tensor.DType.IsFloat() ? double.IsFinite(row[i]) : row[i] > 0)
            {
                Set(tensor, offset + i, tensor.DType.IsFloat() ? row[i] + step : row[i] - 1);
                return;
            }
        }
    }

    private static void Set(Tensor tensor, int place, double value)
    {
        switch (tensor.DType)
        {
            case DType.F64:
                tensor.Span<double>()[place] = value;
                break;
            case DType.F32:
                tensor.Span<float>()[place] = (float)value;
                break;
            case DType.F16:
                tensor.Span<Half>()[place] = (Half)value;
                break;
            case DType.BF16:
                tensor.Span<BFloat16>()[place] = (BFloat16)(float)value;
                break;
            case DType.I64:
                tensor.Span<long>()[place] = (long)value;
                break;
            case DType.I32:
                tensor.Span<int>()[place] = (int)value;
                break;
            default:
                tensor.Span<byte>()[place] = (byte)value;
                break;
        }
    }

    private static JsonNode? Changed(JsonNode? node, Leaves leaves, bool alone) => node switch
    {
        JsonObject fields => new JsonObject(fields.Select(
            field => KeyValuePair.Create(field.Key, Changed(field.Value, leaves, true)))),
        JsonArray items => new JsonArray(
            [.. items.Select((item, i) => Changed(item, leaves, i == items.Count - 1))]),
        JsonValue value => Changed(value, leaves, alone),
        _ => null,
    };

    private static JsonNode Changed(JsonValue value, Leaves leaves, bool alone)
    {
        string text = value.ToJsonString();
        if (value.GetValueKind() == JsonValueKind.String)
        {
            return leaves.HasFlag(Leaves.Strings) && alone ? value.GetValue<string>() + "~" : value.DeepClone();
        }

        if (value.GetValueKind() != JsonValueKind.Number)
        {
            return value.DeepClone();
        }

        bool isFloat = text.AsSpan().IndexOfAny(".eE") >= 0;
        return isFloat && leaves.HasFlag(Leaves.Floats) ? (value.GetValue<double>() * 1.25) + 0.125
            : !isFloat && leaves.HasFlag(Leaves.Integers) && alone ? value.GetValue<long>() + 1
            : value.DeepClone();
    }
}
