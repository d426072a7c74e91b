using System.Diagnostics;
using System.Globalization;

namespace Tessera.Bench.Torch;

/// <summary>The driver's end of a <see cref="Child"/>.</summary>
internal sealed class ChildProcess : IDisposable
{
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(0.5);

    private readonly Process _process;

    /// <summary>Starts a side with its work and waits until it is ready.</summary>
    public ChildProcess(string side, string work)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, ["child", side, .. work.Split(' ')])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TESSERA_THREADS"] = start.Environment["OMP_NUM_THREADS"] =
            Child.Threads.ToString(CultureInfo.InvariantCulture);
        _process = Process.Start(start)!;
        if (Answer() != "ready")
        {
            throw new InvalidOperationException($"{side} {work}: the process did not get ready");
        }
    }

    /// <summary>Does the work so many times and returns the seconds of one.</summary>
    public double Run(int times) => double.Parse(Ask($"run {times}"), CultureInfo.InvariantCulture) / times;

    /// <summary>Returns how many times fill so many seconds.</summary>
    public int Times(double seconds)
    {
        int times = 1;
        double once = Run(times);
        while (once * times < seconds / 4)
        {
            times *= 4;
            once = Run(times);
        }

        return Math.Max(1, (int)(seconds / once));
    }

    /// <summary>Returns the most memory that was resident, in MiB.</summary>
    public double PeakMemory() => double.Parse(Ask("memory"), CultureInfo.InvariantCulture) / 1024;

    /// <summary>Waits until it has used no processor time for half a second: threads spin after their work.</summary>
    public void WaitUntilIdle()
    {
        TimeSpan before;
        do
        {
            before = ProcessorTime();
            using ManualResetEventSlim never = new();
            never.Wait(_idle);
        }
        while (ProcessorTime() > before);

        TimeSpan ProcessorTime()
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private string Ask(string line)
    {
        _process.StandardInput.WriteLine(line);
        return Answer();
    }

    private string Answer() => _process.StandardOutput.ReadLine()
        ?? throw new InvalidOperationException("the process ended; what it said stands above");
}
