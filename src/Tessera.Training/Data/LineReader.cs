namespace Tessera.Training.Data;

/// <summary>Reads lines of bytes, a long one in pieces, with memory for one piece.</summary>
internal sealed class LineReader(Stream stream, int pieceLimit)
{
    private byte[] _buffer = new byte[Math.Min(1 << 16, pieceLimit)];
    private int _start;
    private int _end;
    private bool _streamEnded;

    /// <summary>Gets the number of the line that the last piece belongs to, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Gets whether the last piece ended its line.</summary>
    public bool LineEnded { get; private set; } = true;

    /// <summary>
    /// Reads the next line with its line feed, or the next piece of a line that is longer than the limit, which is cut
    /// between characters; false at the end of the stream.
    /// </summary>
    public bool Read(out ReadOnlySpan<byte> piece)
    {
        int searched = 0;
        while (true)
        {
            ReadOnlySpan<byte> have = _buffer.AsSpan(_start, _end - _start);
            int feed = have[searched..].IndexOf((byte)'\n');
            if (feed >= 0)
            {
                return Give(searched + feed + 1, ended: true, out piece);
            }

            searched = have.Length;
            if (searched >= pieceLimit)
            {
                return Give(WholeCharacters(have), ended: false, out piece);
            }

            if (_streamEnded)
            {
                return searched > 0 ? Give(searched, ended: true, out piece) : None(out piece);
            }

            Refill();
        }
    }

    private static bool None(out ReadOnlySpan<byte> piece)
    {
        piece = default;
        return false;
    }

    private static int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        for (int back = 1; back <= 3; back++)
        {
            byte value = bytes[^back];
            if ((value & 0xC0) != 0x80)
            {
                int length = value >= 0xF0 ? 4 : value >= 0xE0 ? 3 : value >= 0xC0 ? 2 : 1;
                return length > back ? bytes.Length - back : bytes.Length;
            }
        }

        return bytes.Length;
    }

    private bool Give(int count, bool ended, out ReadOnlySpan<byte> piece)
    {
        Line += LineEnded ? 1 : 0;
        LineEnded = ended;
        piece = _buffer.AsSpan(_start, count);
        _start += count;
        return true;
    }

    private void Refill()
    {
        int have = _end - _start;
        if (_end == _buffer.Length)
        {
            if (have > _buffer.Length / 2)
            {
                byte[] larger = new byte[Math.Min(2L * _buffer.Length, (long)pieceLimit + (1 << 16))];
                _buffer.AsSpan(_start, have).CopyTo(larger);
                _buffer = larger;
            }
            else
            {
                _buffer.AsSpan(_start, have).CopyTo(_buffer);
            }

            (_start, _end) = (0, have);
        }

        int count = stream.Read(_buffer.AsSpan(_end));
        _streamEnded = count == 0;
        _end += count;
    }
}
