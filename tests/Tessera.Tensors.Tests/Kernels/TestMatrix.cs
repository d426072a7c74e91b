using System.Runtime.InteropServices;
using Tessera.Tensors.Kernels;

namespace Tessera.Tensors.Tests.Kernels;

/// <summary>
/// A matrix whose last element ends where memory ends: on Unix the page behind it can't be touched, so that reading
/// beyond the operand ends the test run. Gaps between its rows hold NaN and must stay as they are.
/// </summary>
internal sealed unsafe partial class TestMatrix : IDisposable
{
    private readonly byte* _memory;
    private readonly nuint _mapped;
    private readonly byte[] _original;

    public TestMatrix(Random random, DType type, int rows, int columns, bool transposed = false, int gap = 0)
    {
        (int stored, int across) = transposed ? (columns, rows) : (rows, columns);
        int stride = across + gap;
        int elementBytes = type == DType.F32 ? 4 : 2;
        int bytes = (stored == 0 ? 0 : ((stored - 1) * stride) + across) * elementBytes;
        int page = Environment.SystemPageSize;
        if (OperatingSystem.IsWindows())
        {
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), 64);
            Data = _memory;
        }
        else
        {
            int whole = ((bytes + page - 1) / page * page) + page;
            _mapped = (nuint)whole;
            _memory = (byte*)Map(0, _mapped, 3, OperatingSystem.IsMacOS() ? 0x1002 : 0x22, -1, 0);
            Data = _memory + whole - page - bytes;
            if ((nint)_memory == -1 || Protect((nint)_memory + whole - page, (nuint)page, 0) != 0)
            {
                throw new InvalidOperationException("no memory with a guard page");
            }
        }

        View = new MatrixView(Data, type, rows, columns, stride, transposed);
        for (int i = 0; i < bytes / elementBytes; i++)
        {
            float value = i % stride < across ? (float)((random.NextDouble() * 2) - 1) : float.NaN;
            Set(i, value);
        }

        _original = new Span<byte>(Data, bytes).ToArray();
    }

    public MatrixView View { get; }

    public byte* Data { get; }

    public float this[int row, int column]
    {
        get
        {
            byte* at = View.At(row, column);
            return View.Type == DType.F32 ? *(float*)at : *(BFloat16*)at;
        }

        set => Set((int)(View.At(row, column) - Data) / View.ElementBytes, value);
    }

    /// <summary>Gets the bytes of a row that isn't transposed.</summary>
    public ReadOnlySpan<byte> Row(int row) => new(View.At(row, 0), View.Columns * View.ElementBytes);

    /// <summary>Puts the first content back.</summary>
    public void Restore() => _original.CopyTo(new Span<byte>(Data, _original.Length));

    /// <summary>Tells whether the gaps between rows hold what they held.</summary>
    public bool GapsAreUntouched()
    {
        int across = (View.Transposed ? View.Rows : View.Columns) * View.ElementBytes;
        int stride = View.Stride * View.ElementBytes;
        ReadOnlySpan<byte> now = new(Data, _original.Length);
        for (int start = across; stride > 0 && start + 1 < now.Length; start += stride)
        {
            int length = Math.Min(stride - across, now.Length - start);
            if (!now.Slice(start, length).SequenceEqual(_original.AsSpan(start, length)))
            {
                return false;
            }
        }

        return true;
    }

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
        {
            NativeMemory.AlignedFree(_memory);
        }
        else
        {
            _ = Unmap((nint)_memory, _mapped);
        }
    }

    private void Set(int index, float value)
    {
        if (View.Type == DType.F32)
        {
            ((float*)Data)[index] = value;
        }
        else
        {
            ((BFloat16*)Data)[index] = (BFloat16)value;
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint size, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint size);
}
