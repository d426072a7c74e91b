using Tessera.Tensors.Memory;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Memory;

public sealed class AvailableMemoryTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    [Fact]
    public void IsWhatTheKernelReckons()
    {
        Write("proc/meminfo", "MemTotal:  9000 kB\nMemAvailable:    4000 kB\n");
        Assert.Equal(4000 * 1024, AvailableMemory.BytesOf(_root.Path("")));
    }

    [Fact]
    public void IsWhatTheTightestGroupLeaves()
    {
        Write("proc/meminfo", "MemAvailable: 4000 kB\n");
        Write("proc/self/cgroup", "0::/outer/inner\n");
        Write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
        Write("sys/fs/cgroup/outer/inner/memory.current", "5000\n");
        Write("sys/fs/cgroup/outer/memory.max", "900000\n");
        Write("sys/fs/cgroup/outer/memory.current", "500000\n");
        Write("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 30000\n");
        Assert.Equal(430_000, AvailableMemory.BytesOf(_root.Path("")));
    }

    [Fact]
    public void OlderGroupsCountToo()
    {
        Write("proc/meminfo", "MemAvailable: 4000 kB\n");
        Write("proc/self/cgroup", "5:cpu:/x\n4:memory:/not-seen-inside-the-container\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000\n");
        Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1200000\n");
        Assert.Equal(0, AvailableMemory.BytesOf(_root.Path("")));
    }

    [Fact]
    public void IsNotKnownWithoutTheKernelsFiles() => Assert.Null(AvailableMemory.BytesOf(_root.Path("")));

    [Fact]
    public void IsKnownHere() => Assert.InRange(AvailableMemory.Bytes(), 1, long.MaxValue);

    [Theory]
    [InlineData(999, "999 bytes")]
    [InlineData(1_380_000_000, "1.38 GB")]
    [InlineData(45_600_000, "45.6 MB")]
    [InlineData(3.4e20, "340 EB")]
    public void IsSaidInWords(double bytes, string words) => Assert.Equal(words, AvailableMemory.InWords(bytes));

    public void Dispose() => _root.Dispose();

    private void Write(string path, string text)
    {
        string full = _root.Path(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
