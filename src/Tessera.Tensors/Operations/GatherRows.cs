namespace Tessera.Tensors;

/// <content>Row gathering: row i of the result is row rows[i] of x. For serving: it has no gradient.</content>
public static unsafe partial class Ops
{
    /// <summary>Copies some rows of <paramref name="x"/> (N, C).</summary>
    /// <returns>A tensor (rows, C) of x's type.</returns>
    /// <exception cref="ArgumentException">A row is outside x.</exception>
    /// <exception cref="InvalidOperationException">A tape runs: x's gradient would be lost.</exception>
    public static Tensor GatherRows(Tensor x, ReadOnlySpan<int> rows)
    {
        if (Tape.Running && x.Tracked)
        {
            throw new InvalidOperationException("GatherRows: a tape runs, and there is no gradient through it");
        }

        (int N, int C) = x.Shape;
        Tensor y = Tensor.Create(new Shape(rows.Length, C), x.DType);
        long bytes = (long)C * x.DType.Size();
        for (int i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)N)
            {
                throw new ArgumentException($"GatherRows: row {rows[i]} of {x}");
            }

            Buffer.MemoryCopy((byte*)x.Data + (rows[i] * bytes), (byte*)y.Data + (i * bytes), bytes, bytes);
        }

        return y;
    }
}
