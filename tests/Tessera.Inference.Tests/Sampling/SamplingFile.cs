using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tessera.Inference.Sampling;
using Tessera.Testing;

namespace Tessera.Inference.Tests.Sampling;

/// <summary>Reads goldens/sampling/sampling.json.</summary>
internal sealed class SamplingFile
{
    private static JsonSerializerOptions Format { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly Dictionary<string, Row> _rows;

    public SamplingFile(string path)
    {
        using FileStream stream = File.OpenRead(path);
        Content = JsonSerializer.Deserialize<Document>(stream, Format)!;
        _rows = Content.Rows.ToDictionary(row => row.Name);
    }

    public Document Content { get; }

    public static SamplingFile Open() => new(SharedFiles.Path("goldens/sampling/sampling.json"));

    public float[] Logits(string rowName)
    {
        Row row = _rows[rowName];
        float[] logits = new float[row.Vocab];
        ulong state = row.LcgSeed;
        for (int i = 0; i < logits.Length; i++)
        {
            state = ((state * 1664525) + 1013904223) & 0xffffffff;
            ulong r = state >> 8, p = r;
            for (int n = 0; n < row.Squarings; n++)
            {
                p = (p * p) >> 24;
            }

            logits[i] = (float)((((7 * p) + r) >> 3) / Math.Pow(2, row.Bits) - Math.Pow(2, 23 - row.Bits));
        }

        foreach ((string id, double value) in row.Overrides ?? [])
        {
            logits[int.Parse(id)] = (float)value;
        }

        return logits;
    }

    public sealed record Document(
        Row[] Rows, Chain[] Cases, Edge[] Edges, DryCase[] Dry, LogProbabilityCase[] Logprobs,
        [property: JsonPropertyName("mirostat_v2")] MirostatRun[] Mirostat, PickCases Picks);

    public sealed record Row(
        string Name, int Vocab, ulong LcgSeed, int Squarings, int Bits, Dictionary<string, double>? Overrides,
        RowCheck Check);

    public sealed record RowCheck(double Sum, int Argmax, double Logsumexp);

    public sealed record Chain(string Row, Parameters Params, int[]? PromptIds, int[]? OutputIds, Kept Kept)
    {
        public override string ToString() => $"{Row} {JsonSerializer.Serialize(Params, Format)}";
    }

    public sealed record Kept(
        int Count, int[] Ids, double[] Probs, long? IdsSum, double? SquaredProbsSum);

    public sealed record Edge(string Note, double[] Logits, Parameters Params, Kept? Kept, bool Error);

    public sealed record DryCase(
        string Note, int[] Context, DryParameters Params, Dictionary<string, double> LogitChange);

    public sealed record Ranked(int Id, double Logprob);

    public sealed record LogProbabilityCase(
        string Row, double[]? Logits, Ranked[]? Sampled, Ranked[] Top, Ranked? Last);

    public sealed record MirostatRun(string Row, double Tau, double Eta, MirostatStep[] Steps, double MuAfter);

    public sealed record MirostatStep(double Scale, double U, double Mu, int Kept, int Picked, double Prob);

    public sealed record PickCases(PickCase[] Cases);

    public sealed record PickCase(int Case, double[] U, int[] Ids);

    public sealed record DryParameters(
        double Multiplier, double Base, int AllowedLength,
        [property: JsonPropertyName("penalty_last_n")] int LastTokens, int[] Breakers)
    {
        public DryOptions ToOptions() => new()
        {
            Multiplier = Multiplier,
            Base = Base,
            AllowedLength = AllowedLength,
            LastTokens = LastTokens < 0 ? null : LastTokens,
            Breakers = Breakers.ToFrozenSet(),
        };
    }

    public sealed record Parameters(
        double? Temperature, int? TopK, double? TopP, double? MinP, double? TypicalP,
        [property: JsonPropertyName("top_n_sigma")] double? TopNSigma, double? RepetitionPenalty,
        double? PresencePenalty, double? FrequencyPenalty, Dictionary<string, float>? LogitBias, DryParameters? Dry)
    {
        public SamplingOptions ToOptions() => new()
        {
            Temperature = Temperature ?? 1,
            TopK = TopK is 0 ? null : TopK,
            TopP = TopP ?? 1,
            MinP = MinP ?? 0,
            TypicalP = TypicalP ?? 1,
            TopNSigma = TopNSigma,
            RepetitionPenalty = RepetitionPenalty ?? 1,
            PresencePenalty = PresencePenalty ?? 0,
            FrequencyPenalty = FrequencyPenalty ?? 0,
            LogitBias = (LogitBias ?? []).ToDictionary(entry => int.Parse(entry.Key), entry => entry.Value),
            Dry = Dry?.ToOptions(),
        };
    }
}
