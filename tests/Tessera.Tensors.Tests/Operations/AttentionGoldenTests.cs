using System.Text.Json;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Operations;

public sealed class AttentionGoldenTests
{
    private const string Attributes = "goldens/training/ops.json", Tensors = "goldens/training/ops.safetensors";

    public static TheoryData<string> Cases()
    {
        TheoryData<string> cases = [];
        if (SharedFiles.TryPath(Attributes) is { } path)
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name.StartsWith("attention", StringComparison.Ordinal))
                {
                    cases.Add(property.Name);
                }
            }
        }
        else
        {
            cases.Add("absent");
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void DoubleEqualsTheFile(string name) =>
        AssertEqualsTheFile<double>(name, Limits.OpsDouble, Limits.OpsDouble);

    [Theory]
    [MemberData(nameof(Cases))]
    public void SingleEqualsTheFile(string name) =>
        AssertEqualsTheFile<float>(name, Limits.OpsSingle, Limits.OpsSingleGradient);

    [Theory]
    [MemberData(nameof(Cases))]
    public void CachedDoubleEqualsTheFile(string name) => AssertCachedEqualsTheFile<double>(name, Limits.OpsDouble);

    [Theory]
    [MemberData(nameof(Cases))]
    public void CachedSingleEqualsTheFile(string name) => AssertCachedEqualsTheFile<float>(name, Limits.OpsSingle);

    private static void AssertEqualsTheFile<T>(string name, double limit, double gradientLimit)
        where T : unmanaged
    {
        using SafetensorsFile file = SafetensorsFile.Open(SharedFiles.Path(Tensors));
        Case golden = Case.Read(file, name);
        using TensorScope scope = TensorScope.Begin();
        Tensor q = golden.Queries<T>(file[$"{name}.q"]),
            k = golden.Rows<T>(file[$"{name}.k"]), v = golden.Rows<T>(file[$"{name}.v"]);
        q.Tracked = k.Tracked = v.Tracked = true;
        Parameter? sinks = golden.Sinks<T>(file);

        using Tape tape = Tape.Start();
        Tensor y = Ops.Attention(q, k, v, golden.Segments, golden.Options, sinks: sinks);
        AssertClose(file[$"{name}.y"], golden.WithoutPast(AttentionSample.Doubles(y)), limit, "y");

        Tape.SetGradient<T>(y, golden.Queries<T>(file[$"{name}.d_y"]).Span<T>());
        tape.Backward();
        double[] dq = golden.WithoutPast(AttentionSample.Doubles(q.Gradient!));
        AssertClose(file[$"{name}.d_q"], dq, gradientLimit, "d_q");
        AssertClose(file[$"{name}.d_k"], AttentionSample.Doubles(k.Gradient!), gradientLimit, "d_k");
        AssertClose(file[$"{name}.d_v"], AttentionSample.Doubles(v.Gradient!), gradientLimit, "d_v");
        if (sinks is not null)
        {
            AssertClose(file[$"{name}.d_sinks"], AttentionSample.Doubles(sinks.Gradient!), gradientLimit, "d_sinks");
        }
    }

    // Each sequence of the file in two steps: what precedes the file's queries (or half, where nothing does), then the
    // rest.
    private static void AssertCachedEqualsTheFile<T>(string name, double limit)
        where T : unmanaged
    {
        using SafetensorsFile file = SafetensorsFile.Open(SharedFiles.Path(Tensors));
        Case golden = Case.Read(file, name);
        using TensorScope scope = TensorScope.Begin();
        Tensor q = golden.Queries<T>(file[$"{name}.q"]),
            k = golden.Rows<T>(file[$"{name}.k"]), v = golden.Rows<T>(file[$"{name}.v"]);
        Parameter? sinks = golden.Sinks<T>(file);
        int K = k.Shape[1], D = k.Shape[2];
        using KeyValueCache cache = new(new KeyValueCacheSize(2, golden.Segments.Count + 1, K, D, DTypes.Of<T>()));

        double[] y = new double[q.Shape.Count];
        for (int i = 0; i < golden.Segments.Count; i++)
        {
            int length = golden.Segments.Length(i), first = golden.Past > 0 ? golden.Past : length / 2;
            int start = golden.Segments.Start(i);
            foreach ((int past, int count) in new[] { (0, first), (first, length - first) })
            {
                Segments step = new();
                step.Add(count, past, [i + 1]);
                Tensor stepK = Part<T>(k, start + past, count), stepV = Part<T>(v, start + past, count);
                cache.Append(1, step, stepK, stepV);
                Tensor part = Ops.Attention(
                    Part<T>(q, start + past, count), stepK, stepV, step, golden.Options, cache, 1, sinks);
                AttentionSample.Doubles(part).CopyTo(y, (start + past) * q.Shape[1] * D);
            }
        }

        AssertClose(file[$"{name}.y"], golden.WithoutPast(y), limit, "y");
    }

    private static Tensor Part<T>(Tensor rows, int start, int count)
        where T : unmanaged
    {
        int size = rows.Shape[1] * rows.Shape[2];
        return Tensor.From<T>(
            new Shape(count, rows.Shape[1], rows.Shape[2]), rows.Span<T>().Slice(start * size, count * size));
    }

    private static void AssertClose(Tensor expected, double[] actual, double limit, string name)
    {
        ReadOnlySpan<double> wanted = expected.Span<double>();
        Assert.Equal(wanted.Length, actual.Length);
        double largest = 0;
        foreach (double value in wanted)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - wanted[i]);
            Assert.True(
                error <= limit * largest,
                $"{name}[{i}] is {actual[i]:R}, {wanted[i]:R} is wanted: {error / largest:E1} of the largest");
        }
    }

    /// <summary>
    /// One case of the file: (B, T, …) tensors as rows. Where the file has fewer queries than keys they are the last of
    /// each sequence; zero queries with a zero upstream gradient go before them, which changes no expected value.
    /// </summary>
    private sealed record Case(
        Segments Segments, AttentionOptions Options, string Name, int Sequences, int Keys, int Past)
    {
        public static Case Read(SafetensorsFile file, string name)
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(SharedFiles.Path(Attributes)));
            JsonElement attributes = json.RootElement.GetProperty(name);
            AttentionOptions options = new()
            {
                Scale = attributes.TryGetProperty("scale", out JsonElement scale) ? scale.GetDouble() : null,
                Window = attributes.TryGetProperty("window", out JsonElement window) ? window.GetInt32() : null,
                SoftCap = attributes.TryGetProperty("softcap", out JsonElement cap) ? cap.GetDouble() : null,
            };
            Shape k = file[$"{name}.k"].Shape;
            int past = k[1] - file[$"{name}.q"].Shape[1];
            Segments segments = new();
            ReadOnlySpan<long> ids = file.TryGet($"{name}.segments", out Tensor? found) ? found.Span<long>() : [];
            for (int b = 0, length = 0; b < k[0]; b++)
            {
                for (int t = 0; t < k[1]; t++)
                {
                    length++;
                    int at = (b * k[1]) + t;
                    if (t + 1 == k[1] || (!ids.IsEmpty && ids[at] != ids[at + 1]))
                    {
                        segments.Add(length);
                        length = 0;
                    }
                }
            }

            return new Case(segments, options, name, k[0], k[1], past);
        }

        public Tensor Rows<T>(Tensor source)
            where T : unmanaged =>
            Convert<T>(source.Span<double>(), new Shape(Sequences * Keys, source.Shape[2], source.Shape[3]));

        public Tensor Queries<T>(Tensor source)
            where T : unmanaged
        {
            int size = source.Shape[2] * source.Shape[3], queries = Keys - Past;
            double[] padded = new double[Sequences * Keys * size];
            for (int b = 0; b < Sequences; b++)
            {
                source.Span<double>().Slice(b * queries * size, queries * size).CopyTo(
                    padded.AsSpan(((b * Keys) + Past) * size));
            }

            return Convert<T>(padded, new Shape(Sequences * Keys, source.Shape[2], source.Shape[3]));
        }

        public double[] WithoutPast(double[] rows)
        {
            int perSequence = rows.Length / Sequences, skipped = perSequence / Keys * Past;
            return [.. Enumerable.Range(0, Sequences)
                .SelectMany(b => rows.Skip((b * perSequence) + skipped).Take(perSequence - skipped))];
        }

        public Parameter? Sinks<T>(SafetensorsFile file)
            where T : unmanaged
        {
            if (!file.TryGet($"{Name}.sinks", out Tensor? sinks))
            {
                return null;
            }

            Tensor owned = Tensor.Allocate(sinks.Shape, DTypes.Of<T>());
            owned.Fill<T>(Convert<T>(sinks.Span<double>(), sinks.Shape).Span<T>());
            return new Parameter("sinks", owned);
        }

        private static Tensor Convert<T>(ReadOnlySpan<double> values, Shape shape)
            where T : unmanaged
        {
            Tensor tensor = Tensor.Create(shape, DTypes.Of<T>());
            for (int i = 0; i < values.Length; i++)
            {
                if (typeof(T) == typeof(double))
                {
                    tensor.Span<double>()[i] = values[i];
                }
                else
                {
                    tensor.Span<float>()[i] = (float)values[i];
                }
            }

            return tensor;
        }
    }
}
