using System.Diagnostics;
using System.Globalization;
using Tessera.Tensors;
using Tessera.Tensors.Kernels;

namespace Tessera.Bench.Torch;

/// <summary>
/// One side as a process: makes its work ready, then answers lines. <c>run N</c> does it N times and says the seconds;
/// <c>memory</c> says the peak of resident memory in KiB; the end of input ends it.
/// </summary>
internal static class Child
{
    public const int Threads = 2;

    /// <summary>What one run of the peak does, in floating-point operations.</summary>
    public const double PeakFlops = 4e9;

    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(1.5);

    public static int Run(string side, string[] work)
    {
        Action made = Make(side, work);
        WarmUp(made);
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(line.Split(' ') switch
            {
                ["run", string times] => Time(made, int.Parse(times, CultureInfo.InvariantCulture)),
                ["memory"] => PeakKibibytes(),
                _ => throw new ArgumentException($"child: '{line}' is not known"),
            });
        }

        return 0;
    }

    private static Action Make(string side, string[] work) => (side, work) switch
    {
        ("tessera", ["peak", string type]) =>
            () => MachineRoof.Work(Type(type), Threads, PeakFlops),
        ("tessera", ["matmul", string type, string form, string size]) => MakeProduct(Type(type), form, Size(size)),
        ("tessera", ["step", string shape, string type]) => MakeStep(StepShape.Named(shape), Type(type)),
        ("torch", ["matmul", string type, string form, string size]) =>
            new TorchMatmul(TorchThreads.Type(type), form, Size(size)).Run,
        ("torch", ["step", string shape, string type]) =>
            new TorchStep(StepShape.Named(shape), TorchThreads.Type(type)).Run,
        _ => throw new ArgumentException($"child: {side} has no {string.Join(' ', work)}"),
    };

    private static Action MakeProduct(DType type, string form, int size) =>
        new BenchProduct(KernelSet.Default, type, Enum.Parse<ProductForm>(form), size, size, size).Run;

    private static Action MakeStep(StepShape shape, DType type)
    {
        TrainingStep step = new(shape, type);
        return () => step.Run();
    }

    // Until code is made in its last form and memory is touched: a runtime that compiles in tiers takes about a second.
    private static void WarmUp(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        for (int times = 0; times < 3 || Stopwatch.GetElapsedTime(start) < _warmUp; times++)
        {
            work();
        }
    }

    private static DType Type(string name) => Enum.Parse<DType>(name, ignoreCase: true);

    private static int Size(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Time(Action work, int times)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < times; i++)
        {
            work();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds.ToString("R", CultureInfo.InvariantCulture);
    }

    private static string PeakKibibytes() =>
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
}
