using System.Diagnostics.CodeAnalysis;

namespace Tessera.Tensors;

/// <summary>Holds the sizes of a tensor's dimensions, up to four, the slowest-moving one first.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "A shape is no collection to its users.")]
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The largest number of dimensions.</summary>
    public const int MaximumRank = 4;

    /// <summary>The largest number of elements.</summary>
    public const long MaximumCount = 1L << 40;

    private readonly int _size0;
    private readonly int _size1;
    private readonly int _size2;
    private readonly int _size3;
    private readonly long _count;

    /// <summary>Makes a shape from its sizes; none makes a scalar.</summary>
    /// <exception cref="ArgumentException">
    /// There are more than four sizes, one is negative, or their product is over 2^40.
    /// </exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length > MaximumRank)
        {
            throw new ArgumentException($"Shape: {sizes.Length} dimensions, at most {MaximumRank} are held");
        }

        Rank = sizes.Length;
        _count = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] < 0)
            {
                throw new ArgumentException($"Shape: size {sizes[i]} of dimension {i} is negative");
            }

            if (_count > MaximumCount / Math.Max(sizes[i], 1))
            {
                throw new ArgumentException("Shape: more than 2^40 elements");
            }

            _count *= sizes[i];
        }

        _size0 = sizes.Length > 0 ? sizes[0] : 0;
        _size1 = sizes.Length > 1 ? sizes[1] : 0;
        _size2 = sizes.Length > 2 ? sizes[2] : 0;
        _size3 = sizes.Length > 3 ? sizes[3] : 0;
    }

    /// <summary>Gets the number of dimensions.</summary>
    public int Rank { get; }

    /// <summary>Gets the number of elements.</summary>
    public long Count => Rank == 0 ? 1 : _count;

    /// <summary>Gets the size of the last dimension: the length of a row; 1 for a scalar.</summary>
    public int Columns => Rank == 0 ? 1 : this[Rank - 1];

    /// <summary>Gets the number of rows: all dimensions but the last, taken together.</summary>
    public int Rows => Columns == 0 ? RowsOfEmpty() : checked((int)(Count / Columns));

    /// <summary>Gets the size of one dimension.</summary>
    public int this[int dimension] => dimension switch
    {
        _ when (uint)dimension >= (uint)Rank => throw new ArgumentOutOfRangeException(
            nameof(dimension), dimension, $"Shape: {this} has {Rank} dimensions"),
        0 => _size0,
        1 => _size1,
        2 => _size2,
        _ => _size3,
    };

    /// <summary>Compares sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Compares sizes.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>Takes the two sizes of a matrix.</summary>
    public void Deconstruct(out int first, out int second)
    {
        Require(2);
        (first, second) = (_size0, _size1);
    }

    /// <summary>Takes the three sizes.</summary>
    public void Deconstruct(out int first, out int second, out int third)
    {
        Require(3);
        (first, second, third) = (_size0, _size1, _size2);
    }

    /// <summary>Takes the four sizes.</summary>
    public void Deconstruct(out int first, out int second, out int third, out int fourth)
    {
        Require(4);
        (first, second, third, fourth) = (_size0, _size1, _size2, _size3);
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) =>
        Rank == other.Rank && _size0 == other._size0 && _size1 == other._size1 && _size2 == other._size2
            && _size3 == other._size3;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, _size0, _size1, _size2, _size3);

    /// <summary>Returns the sizes as in <c>(2,3)</c>.</summary>
    public override string ToString()
    {
        ReadOnlySpan<int> sizes = [_size0, _size1, _size2, _size3];
        return $"({string.Join(',', sizes[..Rank].ToArray())})";
    }

    private int RowsOfEmpty()
    {
        int rows = 1;
        for (int i = 0; i < Rank - 1; i++)
        {
            rows = checked(rows * this[i]);
        }

        return rows;
    }

    private void Require(int rank)
    {
        if (Rank != rank)
        {
            throw new InvalidOperationException($"Shape: {this} has {Rank} dimensions where {rank} are wanted");
        }
    }
}
