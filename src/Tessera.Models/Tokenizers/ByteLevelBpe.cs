using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Tessera.Tensors.Files;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Encodes by byte pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019): any text has tokens, and
/// decoding gives it back. Read from and written to the tokenizer.json of <c>tokenizers</c>.
/// </summary>
public sealed class ByteLevelBpe : Tokenizer
{
    /// <summary>
    /// The most bytes of a tokenizer.json; the largest known, of a vocabulary of 262,144, has 35 MB.
    /// </summary>
    internal const int LargestFile = 128 << 20;

    private readonly TokenizerJson _json;
    private readonly BpeModel _model;
    private readonly AddedTokenMatcher _raw;
    private readonly AddedTokenMatcher _normalized;
    private readonly HashSet<int> _special;
    private readonly ConcurrentBag<BpeEncoder> _encoders = [];
    private string? _fingerprint;

    internal ByteLevelBpe(string file, TokenizerJson json)
    {
        _json = json;
        _model = new BpeModel(file, json);
        _raw = new AddedTokenMatcher(json.AddedTokens.Where(token => !token.Normalized));
        _normalized = new AddedTokenMatcher(json.AddedTokens.Where(token => token.Normalized));
        _special = [.. json.AddedTokens.Where(token => token.IsSpecial).Select(token => token.Id)];
    }

    /// <inheritdoc/>
    public override string Fingerprint => _fingerprint ??=
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToJson(indented: false))));

    /// <inheritdoc/>
    public override int VocabularySize => _model.Size;

    /// <inheritdoc/>
    public override IReadOnlyList<AddedToken> AddedTokens => _json.AddedTokens;

    /// <summary>Gets how texts are split into words.</summary>
    public Splitting Splitting => _json.Splitting;

    /// <summary>Gets the merges in order of their rank, in GPT-2's byte alphabet.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges => _json.Merges;

    /// <summary>
    /// Loads a tokenizer.json; what is wrong or not supported is an error that names file, field and value.
    /// </summary>
    public static ByteLevelBpe Load(string path) => new(path, TokenizerJsonReader.ReadFile(path));

    /// <summary>Reads the bytes of a tokenizer.json; errors name it <paramref name="file"/>.</summary>
    public static ByteLevelBpe Read(string file, ReadOnlyMemory<byte> json) =>
        new(file, TokenizerJsonReader.Read(file, json));

    /// <summary>Writes a tokenizer.json, byte for byte as <c>tokenizers</c> does; whole or not at all.</summary>
    public void Save(string path, bool indented = true) => AtomicFile.Write(path, ToJson(indented));

    /// <summary>Returns the text of a tokenizer.json.</summary>
    public string ToJson(bool indented = true) => TokenizerJsonWriter.Write(_json, indented);

    /// <inheritdoc/>
    public override int? TokenToId(string token) => _model.Id(token);

    /// <inheritdoc/>
    public override string? IdToToken(int id) => _model.Token(id);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> TokenBytes(int id) => _model.Bytes(id);

    /// <inheritdoc/>
    public override bool IsSpecial(int id) => _special.Contains(id);

    /// <inheritdoc/>
    protected override void EncodeCore(ReadOnlySpan<byte> utf8, ReadOnlySpan<Range> trusted, List<int> ids)
    {
        BpeEncoder encoder = _encoders.TryTake(out BpeEncoder? spare) ? spare : new BpeEncoder(_model);
        EncodeBetween(encoder, utf8, 0, utf8.Length, trusted, _raw, ids);
        _encoders.Add(encoder);
    }

    // Two rounds, as tokenizers has them: tokens of the raw text first, in what is left those that are looked for after
    // normalisation (of which byte-level texts have none).
    private void EncodeBetween(
        BpeEncoder encoder,
        ReadOnlySpan<byte> text,
        int start,
        int end,
        ReadOnlySpan<Range> trusted,
        AddedTokenMatcher round,
        List<int> ids)
    {
        ReadOnlySpan<byte> part = text[..end];
        int position = start;
        while (!round.IsEmpty && round.TryFind(part, start, position, trusted, out AddedTokenMatcher.Match match))
        {
            EncodeRest(encoder, text, position, match.Start, trusted, round, ids);
            ids.Add(match.Token.Id);
            position = match.End;
        }

        EncodeRest(encoder, text, position, end, trusted, round, ids);
    }

    private void EncodeRest(
        BpeEncoder encoder,
        ReadOnlySpan<byte> text,
        int start,
        int end,
        ReadOnlySpan<Range> trusted,
        AddedTokenMatcher round,
        List<int> ids)
    {
        if (round == _raw && !_normalized.IsEmpty)
        {
            EncodeBetween(encoder, text, start, end, trusted, _normalized, ids);
            return;
        }

        ReadOnlySpan<byte> words = text[start..end];
        switch (_json.Splitting)
        {
            case Splitting.Gpt2:
                encoder.Encode<Gpt2Splitter>(words, ids);
                break;
            case Splitting.Gpt2Digits:
                encoder.Encode<Gpt2DigitsSplitter>(words, ids);
                break;
            case Splitting.Cl100k:
                encoder.Encode<Cl100kSplitter>(words, ids);
                break;
            default:
                encoder.Encode<NoSplitter>(words, ids);
                break;
        }
    }
}
