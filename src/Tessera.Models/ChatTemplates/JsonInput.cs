using System.Text.Json;

namespace Tessera.Models.ChatTemplates;

/// <summary>Turns JSON into a template's values; every text in it is data.</summary>
internal static class JsonInput
{
    /// <summary>Reads JSON text.</summary>
    public static object? Read(string json, Budget budget)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return Convert(document.RootElement, budget);
    }

    /// <summary>Turns an element into a value.</summary>
    public static object? Convert(JsonElement element, Budget budget)
    {
        budget.Spend();
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                Map map = new();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    map.Set(Text.OfData(property.Name), Convert(property.Value, budget));
                }

                return map;
            case JsonValueKind.Array:
                return new Sequence([.. element.EnumerateArray().Select(item => Convert(item, budget))]);
            case JsonValueKind.String:
                return Text.OfData(element.GetString()!);
            case JsonValueKind.Number:
                return element.TryGetInt64(out long whole) ? (object)whole : element.GetDouble();
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            default:
                return null;
        }
    }
}
