namespace Tessera.Training.Data;

/// <summary>Gathers lines of text until there is enough to hand on.</summary>
internal sealed class TextBuffer
{
    private byte[] _bytes = new byte[1 << 16];
    private int _start;

    public int Length { get; private set; }

    /// <summary>Gets the line that the first byte comes from.</summary>
    public long FirstLine { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(_start, Length);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(_start, Length);

    /// <summary>Appends a line; an ending of carriage return and line feed becomes a line feed.</summary>
    public void Append(ReadOnlySpan<byte> line, long number)
    {
        FirstLine = Length == 0 ? number : FirstLine;
        if (_start + Length + line.Length > _bytes.Length)
        {
            byte[] target = Length + line.Length <= _bytes.Length
                ? _bytes
                : new byte[Math.Max(2 * _bytes.Length, Length + line.Length)];
            Span.CopyTo(target);
            (_bytes, _start) = (target, 0);
        }

        Span<byte> free = _bytes.AsSpan(_start + Length);
        line.CopyTo(free);
        Length += line.Length;
        if (line.EndsWith("\r\n"u8))
        {
            Length--;
            _bytes[_start + Length - 1] = (byte)'\n';
        }
    }

    /// <summary>Drops bytes from the front.</summary>
    public void Drop(int count, long lineOfRest)
    {
        _start += count;
        Length -= count;
        FirstLine = lineOfRest;
    }
}
