namespace Tessera.Models.Tokenizers;

/// <summary>Keeps values so that the smallest is at hand: a binary heap that keeps its memory between uses.</summary>
internal sealed class MinHeap<T>
    where T : struct, IComparable<T>
{
    private T[] _values = [];

    /// <summary>Gets how many values are kept.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Forgets all values; memory for more than <paramref name="keptCapacity"/> of them is given back.
    /// </summary>
    public void Clear(int keptCapacity = int.MaxValue)
    {
        Count = 0;
        if (_values.Length > keptCapacity)
        {
            _values = [];
        }
    }

    /// <summary>Adds a value.</summary>
    public void Push(T value)
    {
        if (Count == _values.Length)
        {
            Array.Resize(ref _values, Math.Max(64, Count + (Count >> 1)));
        }

        int hole = Count++;
        while (hole > 0)
        {
            int parent = (hole - 1) >> 1;
            if (_values[parent].CompareTo(value) <= 0)
            {
                break;
            }

            _values[hole] = _values[parent];
            hole = parent;
        }

        _values[hole] = value;
    }

    /// <summary>Removes the smallest value; returns false where there is none.</summary>
    public bool TryPop(out T smallest)
    {
        if (Count == 0)
        {
            smallest = default;
            return false;
        }

        smallest = _values[0];
        T last = _values[--Count];
        int hole = 0;
        for (int child = 1; child < Count; child = (2 * hole) + 1)
        {
            if (child + 1 < Count && _values[child + 1].CompareTo(_values[child]) < 0)
            {
                child++;
            }

            if (last.CompareTo(_values[child]) <= 0)
            {
                break;
            }

            _values[hole] = _values[child];
            hole = child;
        }

        _values[hole] = last;
        return true;
    }
}
