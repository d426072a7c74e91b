using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tessera.Training.Data;

/// <summary>
/// Holds how the JSON files of the data are written: lower-case names with underscores, for people to read.
/// </summary>
internal static class DataJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
