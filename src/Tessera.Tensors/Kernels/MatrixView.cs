namespace Tessera.Tensors.Kernels;

/// <summary>Points at a matrix of F32 or BF16 elements in memory that someone else owns.</summary>
public readonly unsafe struct MatrixView
{
    /// <summary>
    /// Describes a matrix of rows × columns; <paramref name="stride"/> elements lie between its stored rows.
    /// </summary>
    /// <param name="data">The first element; may be null where the matrix has none.</param>
    /// <param name="type">F32 or BF16.</param>
    /// <param name="rows">The rows as the product sees them.</param>
    /// <param name="columns">The columns as the product sees them.</param>
    /// <param name="stride">Elements from one stored row to the next.</param>
    /// <param name="transposed">Whether what is stored is the transpose: element (r, c) at <c>data[c * stride +
    /// r]</c>.</param>
    /// <exception cref="ArgumentException">The type is another, a size is negative, or the stride is less than a stored
    /// row.</exception>
    public MatrixView(void* data, DType type, int rows, int columns, int stride, bool transposed = false)
    {
        int stored = transposed ? rows : columns;
        if (type is not (DType.F32 or DType.BF16) || rows < 0 || columns < 0 || stride < stored)
        {
            throw new ArgumentException(
                $"matrix: {type} {rows} × {columns} with stride {stride} (transposed: {transposed}); " +
                $"wanted F32 or BF16, sizes from 0 and a stride of at least {Math.Max(stored, 0)}");
        }

        Data = data;
        Type = type;
        Rows = rows;
        Columns = columns;
        Stride = stride;
        Transposed = transposed;
    }

    /// <summary>Gets the first element.</summary>
    public void* Data { get; }

    /// <summary>Gets the type of the elements: F32 or BF16.</summary>
    public DType Type { get; }

    /// <summary>Gets the rows as the product sees them.</summary>
    public int Rows { get; }

    /// <summary>Gets the columns as the product sees them.</summary>
    public int Columns { get; }

    /// <summary>Gets the elements from one stored row to the next.</summary>
    public int Stride { get; }

    /// <summary>
    /// Gets whether element (r, c) is at <c>Data[c * Stride + r]</c> instead of <c>Data[r * Stride + c]</c>.
    /// </summary>
    public bool Transposed { get; }

    /// <summary>Gets the bytes of an element.</summary>
    internal int ElementBytes => Type == DType.F32 ? sizeof(float) : sizeof(ushort);

    /// <summary>Returns the same elements with rows and columns exchanged.</summary>
    public MatrixView Transpose() => new(Data, Type, Columns, Rows, Stride, !Transposed);

    /// <summary>Returns the address of an element.</summary>
    internal byte* At(int row, int column) =>
        (byte*)Data + ((Transposed ? ((long)column * Stride) + row : ((long)row * Stride) + column) * ElementBytes);

    /// <summary>Returns some of its rows and columns.</summary>
    internal MatrixView Part(int row, int rows, int column, int columns) =>
        new(At(row, column), Type, rows, columns, Stride, Transposed);

    /// <inheritdoc/>
    public override string ToString() => $"{Type} {Rows} × {Columns}{(Transposed ? " (transposed)" : "")}";
}
