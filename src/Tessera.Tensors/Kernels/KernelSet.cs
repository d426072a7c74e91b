using System.Diagnostics;

namespace Tessera.Tensors.Kernels;

/// <summary>Holds the register tiles of one instruction set; each is generated when it is first used.</summary>
public sealed unsafe class KernelSet
{
    private const int VectorChoices = 4; // 1, 2, 4 or 8 vectors wide

    private static readonly KernelSet?[] _sets = new KernelSet?[1 + (int)InstructionSet.Avx512BFloat16];
    private static readonly Lock _generating = new();

    private static KernelSet? _default;

    private readonly nint[] _tiles;

    private KernelSet(InstructionSet set)
    {
        InstructionSet = set;
        TileRows = TileShape.MaxRows(set);
        TileColumns = set switch
        {
            InstructionSet.Portable => PortableTile.Columns,
            InstructionSet.Avx2 => TileShape.PanelVectors * VectorCode.Avx2.Lanes,
            _ => TileShape.PanelVectors * VectorCode.Avx512.Lanes,
        };
        _tiles = new nint[2 * (TileRows + 1) * VectorChoices];
    }

    /// <summary>
    /// Gets the set that is used unless another is named: <see cref="Processor.Default"/>, as it was at the first use.
    /// </summary>
    /// <exception cref="InvalidOperationException">TESSERA_ISA names no set that can run here.</exception>
    public static KernelSet Default => _default ??= For(Processor.Default); // a type's initializer would hide the error

    /// <summary>Gets the instructions that the kernels are made of.</summary>
    public InstructionSet InstructionSet { get; }

    /// <summary>Gets the most rows of a tile.</summary>
    public int TileRows { get; }

    /// <summary>Gets the columns of a panel of B.</summary>
    public int TileColumns { get; }

    /// <summary>Tells whether tiles multiply bf16; where not, bf16 operands are widened when they are packed.</summary>
    public bool MultipliesBFloat16 => InstructionSet == InstructionSet.Avx512BFloat16;

    /// <summary>Returns the kernels of an instruction set.</summary>
    /// <exception cref="PlatformNotSupportedException">This processor has no such instructions.</exception>
    public static KernelSet For(InstructionSet set)
    {
        if (!Processor.Supports(set))
        {
            throw new PlatformNotSupportedException(
                $"kernels: this processor has no {set}; it has {string.Join(", ", Processor.Supported)}");
        }

        lock (_generating)
        {
            return _sets[(int)set] ??= new KernelSet(set);
        }
    }

    /// <summary>
    /// Returns the type in which operands of the given types are multiplied: BF16 if both are and the set can, else
    /// F32.
    /// </summary>
    public DType Arithmetic(DType a, DType b) =>
        a == DType.BF16 && b == DType.BF16 && MultipliesBFloat16 ? DType.BF16 : DType.F32;

    /// <summary>
    /// Computes one tile of at most <see cref="TileRows"/> rows and <see cref="TileColumns"/> columns with operands of
    /// <paramref name="type"/> (F32, or BF16 where <see cref="MultipliesBFloat16"/>). Reads and writes nothing outside
    /// the operands.
    /// </summary>
    public void Tile(DType type, int rows, TileArguments* arguments)
    {
        Debug.Assert(rows >= 1 && rows <= TileRows, "rows of the tile");
        Debug.Assert(type == DType.F32 || (type == DType.BF16 && MultipliesBFloat16), "type of the tile");
        int lanes = TileColumns / TileShape.PanelVectors;
        int choice = arguments->Columns switch
        {
            int few when few <= lanes => InstructionSet >= InstructionSet.Avx512 ? 0 : 1,
            int panel when panel <= TileColumns => 1,
            int wide when wide <= 2 * TileColumns => 2,
            _ => 3,
        };
        bool stores = (arguments->Options & TileOptions.Suspend) == 0;
        if (stores && NeedsFinish(arguments))
        {
            ComputeThenFinish(type, rows, choice, arguments);
        }
        else
        {
            Compute(type, rows, choice, arguments);
        }
    }

    /// <summary>
    /// Returns how many panels, of the whole ones that are left, a tile of so few rows takes in one call: wide tiles
    /// have no masks and write all their columns.
    /// </summary>
    internal int PanelsAtOnce(int rows, int left)
    {
        int panels = InstructionSet == InstructionSet.Portable
            ? 1
            : TileShape.MaxVectors(InstructionSet, rows) / TileShape.PanelVectors;
        while (panels > 1 && panels > left)
        {
            panels /= 2;
        }

        return panels;
    }

    private bool NeedsFinish(TileArguments* arguments) => InstructionSet switch
    {
        InstructionSet.Portable => true,
        InstructionSet.Avx2 => (arguments->Columns & (TileColumns - 1)) != 0 || Rounds(arguments),
        InstructionSet.Avx512 => Rounds(arguments),
        _ => false,
    };

    private static bool Rounds(TileArguments* arguments) => (arguments->Options & TileOptions.StoreBFloat16) != 0;

    private void Compute(DType type, int rows, int choice, TileArguments* arguments)
    {
        if (InstructionSet == InstructionSet.Portable)
        {
            PortableTile.Compute(rows, arguments);
            return;
        }

        int index = ((((type == DType.BF16 ? 1 : 0) * (TileRows + 1)) + rows) * VectorChoices) + choice;
        nint tile = Volatile.Read(ref _tiles[index]);
        if (tile == 0)
        {
            tile = Generate(index, new TileShape(InstructionSet, type == DType.BF16, rows, 1 << choice));
        }

        // A tile runs for microseconds and calls nothing, so the collector may wait for it.
        ((delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)tile)(arguments);
    }

    // What the tile's own stores can't do (single columns without masks, rounding) is done from a copy of its sums.
    private void ComputeThenFinish(DType type, int rows, int choice, TileArguments* arguments)
    {
        const int MostSums = 14 * 32; // of every tile: wider ones have fewer rows
        float* sums = stackalloc float[MostSums];
        TileArguments raw = *arguments;
        raw.Options = (arguments->Options & TileOptions.Resume) | TileOptions.Suspend;
        if ((arguments->Options & TileOptions.Resume) == 0)
        {
            raw.Partial = sums;
        }

        Compute(type, rows, choice, &raw);
        int width = (1 << choice) * TileColumns / TileShape.PanelVectors;
        TileFinish.Store(raw.Partial, width, rows, arguments);
    }

    private nint Generate(int index, TileShape shape)
    {
        lock (_generating)
        {
            if (_tiles[index] == 0)
            {
                byte[] code = new TileGenerator(shape).Assemble(OperatingSystem.IsWindows());
                Volatile.Write(ref _tiles[index], ExecutableMemory.Place(code));
            }

            return _tiles[index];
        }
    }
}
