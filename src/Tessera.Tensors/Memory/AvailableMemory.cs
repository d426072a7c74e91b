using System.Globalization;

namespace Tessera.Tensors.Memory;

/// <summary>Tells how much memory this process may still take, before it asks for any.</summary>
public static class AvailableMemory
{
    private const long KiB = 1024;

    /// <summary>
    /// Returns the bytes that can be had without swapping: on Linux what the kernel reckons, or what the limits of the
    /// process' control groups leave where that is less; elsewhere what the runtime says that there is.
    /// </summary>
    public static long Bytes() => OperatingSystem.IsLinux() && BytesOf("/") is { } bytes
        ? bytes
        : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Throws where less memory is available than is needed.</summary>
    /// <param name="what">What needs it: the beginning of the error.</param>
    /// <param name="needed">The bytes that it needs.</param>
    /// <param name="available">The bytes that there are.</param>
    /// <param name="advice">What to do about it: the end of the error.</param>
    /// <exception cref="InsufficientMemoryException">It is less; the message has both figures.</exception>
    public static void Require(string what, double needed, long available, string advice)
    {
        if (!(needed <= available))
        {
            throw new InsufficientMemoryException(
                $"{what} needs about {InWords(needed)} of memory, and {InWords(available)} are available: {advice}");
        }
    }

    /// <summary>Returns a number of bytes with three figures and a unit, as in <c>1.38 GB</c>.</summary>
    public static string InWords(double bytes)
    {
        string[] units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
        int unit = bytes < 1000 ? 0 : Math.Min(units.Length - 1, (int)(Math.Log10(bytes) / 3));
        double value = bytes / Math.Pow(1000, unit);
        int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
        string number = unit == 0
            ? value.ToString("F0", CultureInfo.InvariantCulture)
            : value.ToString($"F{decimals}", CultureInfo.InvariantCulture);
        return $"{number} {units[unit]}";
    }

    /// <summary>Reads the kernel's files below a root; null where they aren't those that are known.</summary>
    internal static long? BytesOf(string root)
    {
        long? available = Field(Path.Combine(root, "proc/meminfo"), "MemAvailable:") * KiB;
        foreach (string line in Lines(Path.Combine(root, "proc/self/cgroup")))
        {
            // Version 2 has one line "0::/path", version 1 one for each controller, as "4:memory:/path".
            string[] parts = line.Split(':', 3);
            bool second = parts is ["0", "", _];
            if (second || (parts.Length == 3 && parts[1].Split(',').Contains("memory")))
            {
                string mount = Path.Combine(root, second ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
                available = Least(available, LeastOf(mount, parts[2], second));
            }
        }

        return available;
    }

    /// <summary>
    /// Returns what the tightest of a group and those around it leaves. Inside a container the path may be that of the
    /// host, so what isn't there is passed over.
    /// </summary>
    private static long? LeastOf(string mount, string path, bool second)
    {
        long? least = null;
        for (string? group = path.Trim('/'); group is not null;
            group = group.Length == 0 ? null : Path.GetDirectoryName(group) ?? "")
        {
            string folder = Path.Combine(mount, group);
            long? limit = Number(Path.Combine(folder, second ? "memory.max" : "memory.limit_in_bytes"));
            long? used = Number(Path.Combine(folder, second ? "memory.current" : "memory.usage_in_bytes"));

            // Pages of files that were not touched lately are given up before anything fails.
            string idleName = second ? "inactive_file" : "total_inactive_file";
            long idle = Field(Path.Combine(folder, "memory.stat"), idleName) ?? 0;
            least = Least(least, limit is { } most && used is { } taken ? Math.Max(0, most - taken + idle) : null);
        }

        return least;
    }

    private static long? Least(long? a, long? b) => a is null || b < a ? b ?? a : a;

    private static long? Number(string file) =>
        Lines(file) is [string line, ..] && long.TryParse(line, CultureInfo.InvariantCulture, out long value)
            ? value
            : null;

    private static long? Field(string file, string name)
    {
        foreach (string line in Lines(file))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && words[0] == name
                && long.TryParse(words[1], CultureInfo.InvariantCulture, out long value))
            {
                return value;
            }
        }

        return null;
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllLines(file) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What can't be read limits nothing that we know of.
            return [];
        }
    }
}
