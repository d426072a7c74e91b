namespace Tessera.Tensors.Kernels;

/// <summary>
/// Multiplies matrices: C = A · B, in fp32 or in bf16 with fp32 sums. Each element is one chain of sums in the order of
/// K, so a row's bits depend on nothing but the row, B, and the instruction set.
/// </summary>
/// <remarks>
/// Two bf16 operands are multiplied as bf16 where the kernels can, all others in fp32. There (AVX-512 BF16) denormal
/// operands, products and sums count as zero and a pair's two products are added one after the other (Intel SDM,
/// VDPBF16PS); bf16 results that are denormal become zero too. NaN and infinity go where IEEE 754 sends them.
/// </remarks>
public static unsafe class Matmul
{
    /// <summary>Computes C = A · B, or C += A · B.</summary>
    /// <param name="a">(M, K).</param>
    /// <param name="b">(K, N).</param>
    /// <param name="c">(M, N), not transposed; shares no memory with the others.</param>
    /// <param name="options">What is done beside.</param>
    /// <exception cref="ArgumentException">The sizes don't agree, or C is transposed.</exception>
    public static void Multiply(MatrixView a, MatrixView b, MatrixView c, MatmulOptions options = default)
    {
        if (!Agree(a, b.Rows, b.Columns, c))
        {
            throw Disagreement(a, b.ToString(), c);
        }

        KernelSet kernels = options.Kernels ?? KernelSet.Default;
        bool rounds = options.RoundToBFloat16 && kernels.MultipliesBFloat16;
        DType type = rounds ? DType.BF16 : kernels.Arithmetic(a.Type, b.Type);
        new Product(kernels, type, a, Right.Of(b), c, options).Run();
    }

    /// <summary>Computes C = A · B, or C += A · B, with a B that was packed before.</summary>
    /// <param name="a">(M, K).</param>
    /// <param name="b">(K, N), packed for the kernels that the product then uses.</param>
    /// <param name="c">(M, N), not transposed; shares no memory with the others.</param>
    /// <param name="options">What is done beside.</param>
    /// <exception cref="ArgumentException">The sizes don't agree, C is transposed, or the options name other
    /// kernels.</exception>
    public static void Multiply(MatrixView a, PackedMatrix b, MatrixView c, MatmulOptions options = default)
    {
        ArgumentNullException.ThrowIfNull(b);
        if (!Agree(a, b.Rows, b.Columns, c))
        {
            throw Disagreement(a, $"packed {b.Type} {b.Rows} × {b.Columns}", c);
        }

        if (options.Kernels is { } wanted && wanted != b.Kernels)
        {
            throw new ArgumentException(
                $"matmul: B is packed for {b.Kernels.InstructionSet} and {wanted.InstructionSet} was asked for",
                nameof(options));
        }

        bool roundsA = options.RoundToBFloat16 || a.Type == DType.BF16;
        DType type = roundsA ? b.Type : DType.F32;
        new Product(b.Kernels, type, a, Right.Of(b), c, options).Run();
    }

    /// <summary>
    /// Packs a right operand, so that products with it need not; the memory of <paramref name="into"/> is used again.
    /// </summary>
    /// <param name="b">(K, N), F32 or BF16.</param>
    /// <param name="into">Receives the packed form: BF16 where the kernels multiply that and B is BF16 or is to be
    /// rounded, else F32.</param>
    /// <param name="roundToBFloat16">Whether an F32 matrix may be rounded.</param>
    public static void Pack(MatrixView b, PackedMatrix into, bool roundToBFloat16 = false)
    {
        ArgumentNullException.ThrowIfNull(into);
        bool half = into.Kernels.MultipliesBFloat16 && (roundToBFloat16 || b.Type == DType.BF16);
        into.Resize(half ? DType.BF16 : DType.F32, b.Rows, b.Columns);
        int panels = Panels.Count(into.Kernels, b.Columns), steps = Panels.Steps(into.Type, b.Rows);
        Right.Of(b).Pack(into.Kernels, into.Type, 0, panels, 0, steps, into.Data, into.PanelStride);
    }

    private static bool Agree(MatrixView a, int bRows, int bColumns, MatrixView c) =>
        a.Columns == bRows && c.Rows == a.Rows && c.Columns == bColumns && !c.Transposed;

    private static ArgumentException Disagreement(MatrixView a, string b, MatrixView c) =>
        new($"matmul: ({a}) · ({b}) into ({c}); wanted (M, K) · (K, N) into (M, N), not transposed");
}
