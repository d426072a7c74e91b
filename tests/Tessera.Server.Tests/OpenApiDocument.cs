using System.Text.Json;
using Tessera.Testing;
using Xunit;

namespace Tessera.Server.Tests;

/// <summary>
/// Checks JSON against the schemas of OpenAI's own document, as far as our answers need; where the whole document is
/// absent, against those of its schemas that the answers are made of (OpenApi/openapi.json, MIT).
/// </summary>
internal sealed class OpenApiDocument
{
    private readonly JsonElement _schemas =
        JsonDocument.Parse(File.ReadAllText(Place)).RootElement.GetProperty("components").GetProperty("schemas");

    private static string Place => SharedFiles.TryPath("openapi/openapi.json")
        ?? Path.Combine(SharedFiles.RepositoryRoot, "tests/Tessera.Server.Tests/OpenApi/openapi.json");

    public void AssertIs(string schema, JsonElement value)
    {
        string? problem = Problem(_schemas.GetProperty(schema), value, schema);
        Assert.True(problem is null, $"{problem} in {value}");
    }

    private string? Problem(JsonElement schema, JsonElement value, string path)
    {
        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            string name = reference.GetString()!.Split('/')[^1];
            return Problem(_schemas.GetProperty(name), value, path);
        }

        if (value.ValueKind == JsonValueKind.Null && schema.TryGetProperty("nullable", out _))
        {
            return null;
        }

        foreach (string union in new[] { "anyOf", "oneOf" })
        {
            if (schema.TryGetProperty(union, out JsonElement choices)
                && choices.EnumerateArray().All(choice => Problem(choice, value, path) is not null))
            {
                return $"{path} fits none of {union}";
            }
        }

        if (schema.TryGetProperty("enum", out JsonElement allowed)
            && !allowed.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)))
        {
            return $"{path} is {value}, not of {allowed}";
        }

        return !HasType(schema, value) ? $"{path} is {value.ValueKind}, not {schema.GetProperty("type")}"
            : value.ValueKind == JsonValueKind.Object ? ObjectProblem(schema, value, path)
            : value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out JsonElement items)
                ? value.EnumerateArray().Select((item, i) => Problem(items, item, $"{path}[{i}]"))
                    .FirstOrDefault(problem => problem is not null)
            : null;
    }

    private string? ObjectProblem(JsonElement schema, JsonElement value, string path)
    {
        if (schema.TryGetProperty("required", out JsonElement required)
            && required.EnumerateArray().FirstOrDefault(name => !value.TryGetProperty(name.GetString()!, out _))
                is { ValueKind: JsonValueKind.String } missing)
        {
            return $"{path} has no {missing}";
        }

        if (!schema.TryGetProperty("properties", out JsonElement properties))
        {
            return null;
        }

        // The document lets unknown fields pass; we send none.
        return value.EnumerateObject()
            .Select(field => properties.TryGetProperty(field.Name, out JsonElement inner)
                ? Problem(inner, field.Value, $"{path}.{field.Name}")
                : $"{path}.{field.Name} is not in the document")
            .FirstOrDefault(problem => problem is not null);
    }

    private static bool HasType(JsonElement schema, JsonElement value) =>
        !schema.TryGetProperty("type", out JsonElement type) || (type.GetString(), value.ValueKind) switch
        {
            ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) => true,
            ("string", JsonValueKind.String) or ("number", JsonValueKind.Number) => true,
            ("null", JsonValueKind.Null) => true,
            ("integer", JsonValueKind.Number) => value.TryGetInt64(out _),
            ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
            _ => false,
        };
}
