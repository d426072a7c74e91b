using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tessera.Models.Tokenizers;

namespace Tessera.Cli;

/// <summary>Tokenizes streams: a whole text, or a JSON value a line.</summary>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="first">What stands before each text's ids.</param>
/// <param name="special">Whether markers become control tokens.</param>
internal sealed class TokenizerLines(ByteLevelBpe tokenizer, int[] first, bool special)
{
    private readonly List<int> _ids = [];

    /// <summary>Reads a text, byte for byte, and writes its ids as a JSON array.</summary>
    public void EncodeText(Stream input, Stream output)
    {
        using MemoryStream text = new();
        input.CopyTo(text);
        ReadOnlySpan<byte> utf8 = text.GetBuffer().AsSpan(0, (int)text.Length);
        _ids.Clear();
        _ids.AddRange(first);
        if (special)
        {
            _ids.AddRange(tokenizer.EncodeWithSpecials(Encoding.UTF8.GetString(utf8)));
        }
        else
        {
            tokenizer.Encode(utf8, _ids);
        }

        WriteIds(output);
    }

    /// <summary>Reads one JSON string a line and writes one array of ids a line.</summary>
    public void EncodeLines(Stream input, Stream output) => EachLine(input, output, value =>
    {
        string text = value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new FormatException($"is {Kind(value)}; wanted a string");
        _ids.Clear();
        _ids.AddRange(first);
        if (special)
        {
            _ids.AddRange(tokenizer.EncodeWithSpecials(text));
        }
        else
        {
            tokenizer.Encode(text.AsSpan(), _ids);
        }

        WriteIds(output);
    });

    /// <summary>
    /// Reads ids, in a JSON array or apart by spaces or commas, and writes their text, byte for byte.
    /// </summary>
    public void DecodeIds(Stream input, Stream output)
    {
        using StreamReader reader = new(input);
        char[] separators = ['[', ']', ',', ' ', '\t', '\r', '\n'];
        foreach (string number in reader.ReadToEnd().Split(separators, StringSplitOptions.RemoveEmptyEntries))
        {
            int id = TryId(number, out int parsed)
                ? parsed
                : throw new CommandFailedException($"'{number}' on standard input is no id; wanted whole numbers");
            output.Write(IsKnown(id)
                ? tokenizer.TokenBytes(id)
                : throw new CommandFailedException($"standard input: {NoId(id)}"));
        }
    }

    /// <summary>Reads an id as people and programs write one: digits alone.</summary>
    public static bool TryId(string text, out int id) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    /// <summary>Reads one array of ids a line and writes one JSON string a line.</summary>
    public void DecodeLines(Stream input, Stream output) => EachLine(input, output, value =>
    {
        int[] ids = value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(Id)]
            : throw new FormatException($"is {Kind(value)}; wanted an array");
        using Utf8JsonWriter json = new(output, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStringValue(tokenizer.Decode(ids));
        json.Flush();
        output.WriteByte((byte)'\n');
    });

    private static void EachLine(Stream input, Stream output, Action<JsonElement> act)
    {
        using StreamReader reader = new(input);
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                act(document.RootElement);
            }
            catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
            {
                output.Flush();
                throw new CommandFailedException($"line {number} on standard input: {error.Message}");
            }
        }
    }

    private static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();

    private int Id(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id)
        ? IsKnown(id) ? id : throw new FormatException(NoId(id))
        : throw new FormatException($"has {Kind(value)}; wanted whole numbers");

    private bool IsKnown(int id) => id >= 0 && id < tokenizer.VocabularySize;

    private string NoId(int id) => $"{id} is no id of this tokenizer; it has 0 to {tokenizer.VocabularySize - 1}";

    private void WriteIds(Stream output) =>
        output.Write(Encoding.ASCII.GetBytes($"[{string.Join(", ", _ids)}]\n"));
}
