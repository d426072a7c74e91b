using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tessera.Training.Runs;

/// <summary>Says that something has happened in a run: a line of metrics.jsonl, and what a display shows.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(RunStarted), "started")]
[JsonDerivedType(typeof(DataRead), "data")]
[JsonDerivedType(typeof(StageStarted), "stage")]
[JsonDerivedType(typeof(StepDone), "step")]
[JsonDerivedType(typeof(Measured), "measured")]
[JsonDerivedType(typeof(Sampled), "sample")]
[JsonDerivedType(typeof(CheckpointWritten), "checkpoint")]
[JsonDerivedType(typeof(Warned), "warning")]
[JsonDerivedType(typeof(RunEnded), "ended")]
public abstract record RunEvent
{
    private static readonly JsonSerializerOptions _options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Gets the steps that are done.</summary>
    public long Step { get; init; }

    /// <summary>Returns the event as one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, _options);

    /// <summary>Reads a line that <see cref="ToJson"/> has written.</summary>
    /// <exception cref="JsonException">The line is no event.</exception>
    public static RunEvent FromJson(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize<RunEvent>(line, _options) ?? throw new JsonException("null is no event");
        }
        catch (NotSupportedException nameless)
        {
            // What the library says to an object that doesn't state which event it is.
            throw new JsonException("no field \"event\"", nameless);
        }
    }
}
