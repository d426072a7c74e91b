using System.IO.Compression;

namespace Tessera.Training.Data;

/// <summary>
/// Reads a gzip file and knows when it was cut off, which <see cref="GZipStream"/> passes over in silence.
/// </summary>
/// <remarks>
/// A small member of known content is read behind the file's last one, as gzip allows: if the file is whole, its
/// content comes out last; if the file ends in the middle of a block, or with something that is not gzip, it doesn't.
/// </remarks>
internal sealed class GzipReader : Stream
{
    private static readonly byte[] _sealBytes = [.. "tessera: the end"u8];

    private readonly string _path;
    private readonly GZipStream _inner;
    private readonly byte[] _held = new byte[_sealBytes.Length];
    private readonly byte[] _chunk = new byte[1 << 16];
    private int _heldCount;
    private bool _ended;

    public GzipReader(Stream file, string path)
    {
        _path = path;
        _inner = new GZipStream(new Sealed(file), CompressionMode.Decompress);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        while (!_ended && buffer.Length > 0)
        {
            int count = ReadInner(_chunk.AsSpan(0, Math.Min(_chunk.Length, buffer.Length)));
            if (count == 0)
            {
                RequireSeal();
                return 0;
            }

            // What has come is held back by the length of the seal, since it may be the seal.
            int total = _heldCount + count, give = Math.Max(0, total - _sealBytes.Length);
            int fromHeld = Math.Min(give, _heldCount);
            _held.AsSpan(0, fromHeld).CopyTo(buffer);
            _chunk.AsSpan(0, give - fromHeld).CopyTo(buffer[fromHeld..]);
            _held.AsSpan(fromHeld, _heldCount - fromHeld).CopyTo(_held);
            _heldCount -= fromHeld;
            _chunk.AsSpan(give - fromHeld, count - give + fromHeld).CopyTo(_held.AsSpan(_heldCount));
            _heldCount += count - give + fromHeld;
            if (give > 0)
            {
                return give;
            }
        }

        return 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private int ReadInner(Span<byte> into)
    {
        try
        {
            return _inner.Read(into);
        }
        catch (InvalidDataException)
        {
            throw Broken("its compressed data is damaged or cut off");
        }
    }

    private void RequireSeal()
    {
        _ended = true;
        if (_heldCount != _sealBytes.Length || !_held.AsSpan().SequenceEqual(_sealBytes))
        {
            throw Broken("it ends before its compressed data does, or something else follows it");
        }
    }

    private InvalidDataException Broken(string why) =>
        new($"{_path}: broken gzip: {why}; unpack it with gzip -t to check, or fetch it again");

    /// <summary>The file's bytes, then a gzip member that holds the seal.</summary>
    private sealed class Sealed(Stream file) : Stream
    {
        private readonly MemoryStream _seal = Pack();
        private bool _fileEnded;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int count = _fileEnded ? 0 : file.Read(buffer);
            _fileEnded |= count == 0;
            return count > 0 ? count : _seal.Read(buffer);
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                file.Dispose();
                _seal.Dispose();
            }

            base.Dispose(disposing);
        }

        private static MemoryStream Pack()
        {
            MemoryStream packed = new();
            using (GZipStream gzip = new(packed, CompressionMode.Compress, leaveOpen: true))
            {
                gzip.Write(_sealBytes);
            }

            packed.Position = 0;
            return packed;
        }
    }
}
