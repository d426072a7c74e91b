using System.Diagnostics;
using System.Globalization;
using Tessera.Tensors;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Bench;

/// <summary>
/// Times attention in the shapes of training, as shares of the multiply-adds that the same threads reach at most just
/// before, and decoding against a long cache, as bytes read a second. Best (median) of some rounds: on a shared machine
/// the best is what the code can do, the median what it got.
/// </summary>
internal static class AttentionBench
{
    private static readonly (string Name, int B, int T, int H, int K, int D)[] _training =
    [
        ("nano", 16, 256, 8, 8, 32), ("small", 8, 512, 8, 8, 64),
        ("gpt2", 4, 256, 12, 12, 64), ("long", 1, 2048, 8, 2, 64),
    ];

    private static readonly (string Name, int Past, int Heads, int KeyHeads, int HeadSize)[] _decoding =
    [
        ("decode 2048", 2048, 8, 8, 64), ("decode 8192", 8192, 8, 8, 64), ("decode 8192 grouped", 8192, 16, 4, 128),
    ];

    public static int Run(string[] args)
    {
        Settings settings = Settings.Parse(args);
        Console.WriteLine($"{KernelSet.Default.InstructionSet}; best (median) of {settings.Rounds} rounds");
        Console.WriteLine(
            "type threads work                       ms  (median)   GFLOP/s or GB/s     peak  share  (median)");
        foreach (DType type in settings.Types)
        {
            foreach (int threads in settings.Threads)
            {
                using ThreadLimit limit = Workers.Limit(threads);
                foreach ((string name, int B, int T, int H, int K, int D) in settings.Of(_training))
                {
                    if (name.Contains(settings.Only, StringComparison.OrdinalIgnoreCase))
                    {
                        Train(settings, type, threads, name, B, T, H, K, D);
                    }
                }

                foreach ((string name, int past, int H, int K, int D) in settings.Of(_decoding))
                {
                    if (name.Contains(settings.Only, StringComparison.OrdinalIgnoreCase))
                    {
                        Decode(settings, type, threads, name, past, H, K, D);
                    }
                }
            }
        }

        return 0;
    }

    // Multiply-adds of the pairs of row and key that causal attention has: two products forward, five backward.
    private static void Train(
        Settings settings, DType type, int threads, string name, int B, int T, int H, int K, int D)
    {
        double roof = MachineRoof.Flops(type, TimeProvider.System, threads);
        Segments segments = Segments.Of([.. Enumerable.Repeat(T, B)]);
        using TensorScope outer = TensorScope.Begin();
        Tensor q = Random(type, new Shape(B * T, H, D)),
            k = Random(type, new Shape(B * T, K, D)), v = Random(type, new Shape(B * T, K, D));
        Tensor dy = Random(type, new Shape(B * T, H, D));
        double pairs = B * (T * (T + 1) / 2.0) * H * D;
        double[] forward = new double[settings.Rounds], backward = new double[settings.Rounds];
        for (int round = -3; round < settings.Rounds; round++)
        {
            using TensorScope scope = TensorScope.Begin();
            (double ahead, double back) = Step(segments, q, k, v, dy);
            if (round >= 0)
            {
                (forward[round], backward[round]) = (ahead, back);
            }
        }

        Print(type, threads, $"{name} forward", forward, 4 * pairs, roof);
        Print(type, threads, $"{name} backward", backward, 10 * pairs, roof);
    }

    private static unsafe (double Forward, double Backward) Step(
        Segments segments, Tensor q, Tensor k, Tensor v, Tensor dy)
    {
        // Views, so that each step's gradients are its scope's own.
        Tensor[] inputs = [.. new[] { q, k, v }.Select(x => Tensor.Over(x.Data, x.Shape, x.DType, x))];
        foreach (Tensor input in inputs)
        {
            input.Tracked = true;
        }

        using Tape tape = Tape.Start();
        long start = Stopwatch.GetTimestamp();
        Tensor y = Ops.Attention(inputs[0], inputs[1], inputs[2], segments);
        double forward = Stopwatch.GetElapsedTime(start).TotalSeconds;
        y.AdoptGradient(Tensor.Over(dy.Data, dy.Shape, dy.DType, dy));
        long second = Stopwatch.GetTimestamp();
        tape.Backward();
        return (forward, Stopwatch.GetElapsedTime(second).TotalSeconds);
    }

    private static void Decode(Settings settings, DType type, int threads, string name, int past, int H, int K, int D)
    {
        const int BlockPositions = 64;
        KeyValueCacheSize one = new(1, 1, K, D, type, BlockPositions);
        int count = one.BlocksFor(past + 1);
        using KeyValueCache cache = new(new KeyValueCacheSize(1, count, K, D, type, BlockPositions));
        int[] blocks = [.. Enumerable.Range(0, count)];
        Segments segments = new();
        using TensorScope outer = TensorScope.Begin();
        segments.Add(past, 0, blocks);
        Tensor keys = Random(type, new Shape(past, K, D));
        cache.Append(0, segments, keys, keys);
        Tensor q = Random(type, new Shape(1, H, D)), k = Random(type, new Shape(1, K, D));
        segments.Clear();
        segments.Add(1, past, blocks);
        double[] times = new double[settings.Rounds];
        for (int round = -3; round < settings.Rounds; round++)
        {
            using TensorScope scope = TensorScope.Begin();
            long start = Stopwatch.GetTimestamp();
            cache.Append(0, segments, k, k);
            Ops.Attention(q, k, k, segments, cache: cache);
            if (round >= 0)
            {
                times[round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }

        Print(type, threads, name, times, 2.0 * past * K * D * type.Size(), null);
    }

    private static void Print(DType type, int threads, string name, double[] seconds, double amount, double? roof)
    {
        Array.Sort(seconds);
        double best = seconds[0], median = seconds[seconds.Length / 2];
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{type,-4} {threads,7} {name,-22} {best * 1e3,8:F3} {median * 1e3,9:F3} {amount / best / 1e9,17:F1}");
        if (roof is { } most)
        {
            line += string.Create(
                CultureInfo.InvariantCulture,
                $" {most / 1e9,8:F1}  {amount / best / most,5:P0} {amount / median / most,9:P0}");
        }

        Console.WriteLine(line);
    }

    private static Tensor Random(DType type, Shape shape)
    {
        Random random = new(1);
        Tensor tensor = Tensor.Create(shape, type);
        for (int i = 0; i < shape.Count; i++)
        {
            float value = (float)((random.NextDouble() * 2) - 1);
            if (type == DType.BF16)
            {
                tensor.Span<BFloat16>()[i] = (BFloat16)value;
            }
            else
            {
                tensor.Span<float>()[i] = value;
            }
        }

        return tensor;
    }

    private sealed record Settings(DType[] Types, int[] Threads, string Only, bool Short)
    {
        public int Rounds { get; init; } = 40;

        public T[] Of<T>(T[] works) => Short ? works[..1] : works;

        public static Settings Parse(string[] args)
        {
            Settings settings = new([DType.F32, DType.BF16], [1, Workers.Count], "", false);
            for (int i = 0; i < args.Length; i++)
            {
                settings = args[i] switch
                {
                    "--rounds" => settings with { Rounds = int.Parse(args[++i], CultureInfo.InvariantCulture) },
                    "--short" => settings with { Short = true, Rounds = 3 },
                    "--type" => settings with { Types = [Enum.Parse<DType>(args[++i], ignoreCase: true)] },
                    "--threads" => settings with { Threads = [int.Parse(args[++i], CultureInfo.InvariantCulture)] },
                    "--only" => settings with { Only = args[++i] },
                    _ => throw new ArgumentException(
                        $"attention: '{args[i]}' is no option; see the usage without arguments"),
                };
            }

            return settings with { Threads = [.. settings.Threads.Distinct()] };
        }
    }
}
