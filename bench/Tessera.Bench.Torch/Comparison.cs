using Tessera.Tensors;
using Tessera.Tensors.Kernels;

namespace Tessera.Bench.Torch;

/// <summary>Runs both sides in turn and prints a table of each part.</summary>
internal static class Comparison
{
    private const double BlockSeconds = 0.2;

    private static readonly int[] _sizes = [128, 256, 512, 768, 1024, 1536, 2048];

    public static int Run(Settings settings)
    {
        Console.WriteLine(
            $"{KernelSet.Default.InstructionSet}, {Child.Threads} threads; median of {settings.Rounds} blocks of each "
            + "side, in turn; PyTorch is LibTorch 2.10, eager");
        int rows = (settings.Matmul ? Products(settings) : 0) + (settings.Step ? Steps(settings) : 0);
        return rows > 0 ? 0 : throw new ArgumentException($"--only: no row has '{settings.Only}'");
    }

    private static int Products(Settings settings)
    {
        int rows = 0;
        Console.WriteLine();
        Console.WriteLine(
            "| product | type | size | Tessera GFLOP/s | PyTorch GFLOP/s | ratio | roof | share of roof |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (string type in new[] { "bf16", "f32" })
        {
            foreach (ProductForm form in new[] { ProductForm.AB, ProductForm.ABt, ProductForm.AtB })
            {
                foreach (int n in settings.Short ? _sizes[..1] : _sizes)
                {
                    if ($"{form} {type} {n}".Contains(settings.Only, StringComparison.OrdinalIgnoreCase))
                    {
                        double flops = 2.0 * n * n * n;
                        string work = $"matmul {type} {form} {n}";
                        Times times = Measure(settings, type, [("tessera", work), ("torch", work)]);
                        (double ours, double theirs) = (flops / times.Seconds[0], flops / times.Seconds[1]);
                        Row(
                            $"{form}", type, $"{n}", $"{ours / 1e9:F0}", $"{theirs / 1e9:F0}", $"{ours / theirs:F2}",
                            $"{times.Roof / 1e9:F0}", $"{ours / times.Roof:P0}");
                        rows++;
                    }
                }
            }
        }

        return rows;
    }

    private static int Steps(Settings settings)
    {
        int rows = 0;
        string roofType = KernelSet.Default.Arithmetic(DType.BF16, DType.BF16) == DType.BF16 ? "bf16" : "f32";
        Console.WriteLine();
        Console.WriteLine("tokens a second; MiB: the most memory that was resident; roof: " + roofType);
        Console.WriteLine();
        string[] types = settings.SinglesOnly ? ["f32"] : ["bf16", "f32"];
        string[] sides = [.. new[] { "Tessera", "PyTorch" }.SelectMany(side => types.Select(type => $"{side} {type}"))];
        string[] head = ["step", .. sides, "ratio to the better", "share of roof", "PyTorch's share",
            .. sides.Select(side => $"MiB {side}"), "MiB, ratio to PyTorch f32"];
        Row(head);
        Row([.. head.Select(_ => "---")]);
        foreach (string name in settings.Short ? ["nano"] : new[] { "nano", "small", "gpt2" })
        {
            if (!name.Contains(settings.Only, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            StepShape shape = StepShape.Named(name);
            Times times = Measure(
                settings,
                roofType,
                [.. new[] { "tessera", "torch" }.SelectMany(
                    side => types.Select(type => (side, $"step {name} {type}")))]);
            double[] speeds = [.. times.Seconds.Select(seconds => shape.Batch * shape.Time / seconds)];
            double[] memory = times.Memory;
            int each = types.Length;
            (double ours, double theirs) = (speeds[..each].Max(), speeds[each..].Max());
            Row([
                name, .. speeds.Select(speed => $"{speed:F0}"), $"{ours / theirs:F2}",
                $"{ours * shape.FlopsPerToken / times.Roof:P0}", $"{theirs * shape.FlopsPerToken / times.Roof:P0}",
                .. memory.Select(mebibytes => $"{mebibytes:F0}"), $"{memory[0] / memory[^1]:F2}"]);
            rows++;
        }

        return rows;
    }

    // The roof is measured by a third process in each round, so that it saw the same machine.
    private static Times Measure(Settings settings, string roofType, (string Side, string Work)[] sides)
    {
        List<ChildProcess> all = [];
        try
        {
            all.AddRange(sides.Append(("tessera", $"peak {roofType}")).Select(s => new ChildProcess(s.Item1, s.Item2)));
            return Measure(settings.Rounds, all[..^1], all[^1]);
        }
        finally
        {
            all.ForEach(child => child.Dispose());
        }
    }

    private static Times Measure(int rounds, List<ChildProcess> children, ChildProcess peak)
    {
        int[] times = [.. children.Select(child => child.Times(BlockSeconds))];
        int peakTimes = peak.Times(BlockSeconds);
        List<double>[] seconds = [.. children.Select(_ => new List<double>())];
        List<double> peakSeconds = [];
        for (int round = 0; round < rounds; round++)
        {
            Idle();
            peakSeconds.Add(peak.Run(peakTimes));
            for (int i = 0; i < children.Count; i++)
            {
                Idle();
                seconds[i].Add(children[i].Run(times[i]));
            }
        }

        double[] memory = [.. children.Select(child => child.PeakMemory())];
        return new([.. seconds.Select(Median)], memory, Child.PeakFlops / Median(peakSeconds));

        void Idle()
        {
            children.ForEach(child => child.WaitUntilIdle());
            peak.WaitUntilIdle();
        }
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static void Row(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

    /// <summary>Medians of one run's seconds and the peaks of memory, by side; the roof in FLOP/s.</summary>
    private sealed record Times(double[] Seconds, double[] Memory, double Roof);
}
