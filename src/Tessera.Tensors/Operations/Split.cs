namespace Tessera.Tensors;

/// <content>Split: cuts each row into parts, as GPT-2's one projection to queries, keys and values needs.</content>
public static unsafe partial class Ops
{
    /// <summary>Cuts rows of <paramref name="x"/> (N, 3C) into three tensors (N, C).</summary>
    /// <exception cref="ArgumentException">The columns don't divide by three.</exception>
    public static (Tensor First, Tensor Second, Tensor Third) SplitInThree(Tensor x)
    {
        (int N, int columns) = x.Shape;
        if (columns % 3 != 0)
        {
            throw new ArgumentException($"SplitInThree: {x} has {columns} columns");
        }

        return (Part(x, N, columns / 3, 0), Part(x, N, columns / 3, 1), Part(x, N, columns / 3, 2));
    }

    private static Tensor Part(Tensor x, int N, int C, int part)
    {
        Tensor y = Tensor.Create(new Shape(N, C), x.DType);
        CopyColumns(x, part * C, y, 0, C);
        Tape.Record<SplitNode>(y, x.Tracked)?.Set(x, part);
        return y;
    }

    private static void CopyColumns(Tensor from, int fromColumn, Tensor to, int toColumn, int columns)
    {
        long size = from.DType.Size(), bytes = columns * size;
        for (int n = 0; n < from.Shape.Rows; n++)
        {
            byte* source = (byte*)from.Data + ((((long)n * from.Shape.Columns) + fromColumn) * size);
            byte* target = (byte*)to.Data + ((((long)n * to.Shape.Columns) + toColumn) * size);
            Buffer.MemoryCopy(source, target, bytes, bytes);
        }
    }

    private sealed class SplitNode : TapeNode
    {
        private Tensor _x = null!;
        private int _part;

        public void Set(Tensor x, int part) => (_x, _part) = (x, part);

        public override void Backward()
        {
            // Each part writes its own columns; what no part wrote would stay undefined, but all three take part.
            Tensor dx = _x.GradientToWrite(out _);
            CopyColumns(Output.Gradient!, 0, dx, _part * Output.Shape.Columns, Output.Shape.Columns);
        }

        public override void Return()
        {
            _x = null!;
            Give(this);
        }
    }
}
