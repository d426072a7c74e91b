using System.Globalization;
using Tessera.Tensors;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Bench;

/// <summary>
/// Times matrix products in turn with the peak of the same threads, a few milliseconds each, and prints the best of
/// each: on a shared machine the best is what the code can do, the median what it got.
/// </summary>
internal static class MatmulBench
{
    private const double BlockSeconds = 0.004;

    private static readonly (int M, int K, int N)[] _square =
        [.. new[] { 128, 192, 256, 384, 512, 768, 1024, 1536, 2048 }.Select(n => (n, n, n))];

    // Rows × inner size × columns of the nano, small and GPT-2 training shapes, and their vocabularies' slices.
    private static readonly (int M, int K, int N)[] _model =
    [
        (4096, 256, 256), (4096, 256, 768), (4096, 768, 256), (4096, 256, 4096), (4096, 4096, 256), (256, 4096, 768),
        (4096, 512, 512), (4096, 512, 1536), (4096, 1536, 512), (512, 4096, 1536),
        (1024, 768, 768), (1024, 768, 3072), (1024, 3072, 768), (768, 1024, 3072), (1024, 768, 50304),
    ];

    public static int Run(string[] args)
    {
        Settings settings = Settings.Parse(args);
        Clock.UsesProcessorTime = settings.ProcessorTime;
        KernelSet kernels = settings.Set is { } set ? KernelSet.For(set) : KernelSet.Default;
        Console.WriteLine($"{kernels.InstructionSet}; C = A·B, A M×K, B K×N; best (median) of {settings.Rounds}");
        Console.WriteLine("type threads form       M     K     N  GFLOP/s (median)     peak (median)  share (median)");
        foreach (DType type in settings.Types)
        {
            foreach (int threads in settings.Threads)
            {
                foreach ((int M, int K, int N) in settings.Short ? _square[..2] : [.. _square, .. _model])
                {
                    foreach (ProductForm form in Enum.GetValues<ProductForm>())
                    {
                        if ($"{form} {M}x{K}x{N}".Contains(settings.Only, StringComparison.OrdinalIgnoreCase))
                        {
                            Measure(kernels, type, threads, form, M, K, N, settings.Rounds);
                        }
                    }
                }
            }
        }

        return 0;
    }

    private static void Measure(
        KernelSet kernels, DType type, int threads, ProductForm form, int M, int K, int N, int rounds)
    {
        using BenchProduct product = new(kernels, type, form, M, K, N);
        using ThreadLimit limit = Workers.Limit(threads);

        double flops = 2.0 * M * K * N;
        int calls = 1;
        while (true)
        {
            double once = Time(calls);
            if (once > BlockSeconds / 2 || calls > 1 << 16)
            {
                calls = Math.Max(1, (int)(calls * BlockSeconds / once));
                break;
            }

            calls *= 2;
        }

        double[] ours = new double[rounds], most = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            most[round] =
                MachineRoof.Flops(type, Clock.Provider(threads), threads, kernels, BlockSeconds / 2, 1) / 1e9;
            ours[round] = flops * calls / Time(calls) / 1e9;
        }

        Array.Sort(ours);
        Array.Sort(most);
        (double best, double median, double peakBest, double peakMedian) =
            (ours[^1], ours[rounds / 2], most[^1], most[rounds / 2]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{type,-4} {threads,7} {form,-6} {M,5} {K,5} {N,5} {best,8:F1} {median,8:F1} {peakBest,8:F1} " +
            $"{peakMedian,8:F1}  {best / peakBest,5:P0} {median / peakMedian,8:P0}"));

        double Time(int count)
        {
            double start = Clock.Seconds(threads);
            for (int i = 0; i < count; i++)
            {
                product.Run();
            }

            return Clock.Seconds(threads) - start;
        }
    }

    private sealed record Settings(DType[] Types, int[] Threads, string Only, bool Short, InstructionSet? Set)
    {
        public int Rounds { get; init; } = 15;

        public bool ProcessorTime { get; init; }

        public static Settings Parse(string[] args)
        {
            Settings settings = new([DType.F32, DType.BF16], [1, Workers.Count], "", false, null);
            for (int i = 0; i < args.Length; i++)
            {
                settings = args[i] switch
                {
                    "--processor-time" => settings with { ProcessorTime = true },
                    "--rounds" => settings with { Rounds = int.Parse(args[++i], CultureInfo.InvariantCulture) },
                    "--short" => settings with { Short = true, Rounds = 3 },
                    "--type" => settings with { Types = [Enum.Parse<DType>(args[++i], ignoreCase: true)] },
                    "--threads" => settings with { Threads = [int.Parse(args[++i], CultureInfo.InvariantCulture)] },
                    "--only" => settings with { Only = args[++i] },
                    "--isa" => settings with { Set = Enum.Parse<InstructionSet>(args[++i], ignoreCase: true) },
                    _ => throw new ArgumentException($"matmul: '{args[i]}' is not an option; see the usage"),
                };
            }

            return settings with { Threads = [.. settings.Threads.Distinct()] };
        }
    }
}
