using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Tessera.Tensors.Files;

namespace Tessera.Models.Tokenizers;

/// <summary>Holds what encoding reads and never writes: byte tokens, merges, tokens by id.</summary>
internal sealed class BpeModel
{
    private const int NoToken = -1;
    private const int LongestOnStack = 256;

    private readonly int[] _tokenOfByte = new int[256];
    private readonly ulong[] _joined = new ulong[256 * 256 / 64];
    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _tokens;
    private readonly byte[]?[] _bytes;
    private readonly int _longestToken;
    private readonly HashSet<int> _control;

    /// <summary>
    /// Builds the model; a merge of tokens that the vocabulary lacks is an error that names <paramref name="file"/>.
    /// </summary>
    public BpeModel(string file, TokenizerJson json)
    {
        int size = Math.Max(
            json.Vocabulary.Count == 0 ? 0 : json.Vocabulary.Max(entry => entry.Id) + 1,
            json.AddedTokens.Count == 0 ? 0 : json.AddedTokens[^1].Id + 1);
        _ids = new Dictionary<string, int>(json.Vocabulary.Count + json.AddedTokens.Count);
        _tokens = new string?[size];
        _bytes = new byte[]?[size];
        _control = [.. json.AddedTokens.Where(token => token.IsSpecial).Select(token => token.Id)];
        foreach ((string token, int id) in json.Vocabulary)
        {
            _ids.Add(token, id);
            _tokens[id] = token;
            _longestToken = Math.Max(_longestToken, token.Length);
        }

        for (int value = 0; value < 256; value++)
        {
            _tokenOfByte[value] = _ids.GetValueOrDefault(ByteAlphabet.Token((byte)value), NoToken);
        }

        byte[] missing = [.. Enumerable.Range(0, 256).Where(b => _tokenOfByte[b] == NoToken).Select(b => (byte)b)];
        Dropped = json.DropsUnknownBytes && missing.Length > 0 ? SearchValues.Create(missing) : null;
        IgnoreMerges = json.IgnoreMerges;
        Merges = new MergeTable(ResolveMerges(file, json.Merges));
        AddTokens(file, json.AddedTokens);
    }

    /// <summary>Gets the merges.</summary>
    public MergeTable Merges { get; }

    /// <summary>Gets whether a word that is in the vocabulary is taken whole, whatever the merges say.</summary>
    public bool IgnoreMerges { get; }

    /// <summary>Gets the bytes that are left out because no token stands for them; null where there are none.</summary>
    public SearchValues<byte>? Dropped { get; }

    /// <summary>Gets the largest id plus one.</summary>
    public int Size => _tokens.Length;

    /// <summary>Returns a token's id, or null.</summary>
    public int? Id(string token) => _ids.TryGetValue(token, out int id) ? id : null;

    /// <summary>Returns a token as it is written, or null.</summary>
    public string? Token(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>Returns the bytes of a token.</summary>
    public ReadOnlySpan<byte> Bytes(int id) =>
        (uint)id < (uint)_bytes.Length && _tokens[id] is string token ? _bytes[id] ??= BytesOf(token) : [];

    /// <summary>Writes the tokens of a word's bytes; a byte that has none is an error that names it.</summary>
    public void Tokens(ReadOnlySpan<byte> word, Span<int> tokens)
    {
        for (int i = 0; i < word.Length; i++)
        {
            tokens[i] = _tokenOfByte[word[i]];
            if (tokens[i] == NoToken)
            {
                string shown = Encoding.UTF8.GetString(word[..Math.Min(word.Length, 512)]);
                throw new UnencodableTextException(word[i], shown);
            }
        }
    }

    /// <summary>
    /// Returns whether some token has these two bytes beside each other; where none has, no merge crosses.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool AreJoined(byte left, byte right) => (_joined[(left << 2) | (right >> 6)] >> right & 1) != 0;

    /// <summary>Finds the token that is a whole word.</summary>
    public bool TryWholeWord(ReadOnlySpan<byte> word, out int id)
    {
        id = NoToken;
        if (word.Length > _longestToken)
        {
            return false;
        }

        char[]? rented = word.Length > LongestOnStack ? ArrayPool<char>.Shared.Rent(word.Length) : null;
        Span<char> characters = rented ?? stackalloc char[LongestOnStack];
        characters = characters[..word.Length];
        ByteAlphabet.Write(word, characters);
        bool found = _ids.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(characters, out id)
            && !_control.Contains(id);
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented);
        }

        return found;
    }

    private static byte[] BytesOf(string token)
    {
        byte[] bytes = new byte[token.Length];
        return ByteAlphabet.TryRead(token, bytes) ? bytes : Encoding.UTF8.GetBytes(token);
    }

    private List<Merge> ResolveMerges(string file, IReadOnlyList<(string Left, string Right)> pairs)
    {
        List<Merge> merges = new(pairs.Count);
        foreach ((string left, string right) in pairs)
        {
            Merge merge = new(Known(left), Known(right), Known(left + right));
            merges.Add(merge);

            // A merge into a control token would let text make one: it keeps its rank and is never done.
            if (_control.Contains(merge.Product))
            {
                merges[^1] = new Merge(NoToken, NoToken, merge.Product);
            }
            else
            {
                MarkJoined(left + right);
            }
        }

        return merges;

        int Known(string token) => _ids.TryGetValue(token, out int id) ? id : throw new InvalidDataException(
            $"{file}: model.merges[{merges.Count}]: {HostileText.Quote(token)}, wanted a token of the vocabulary");
    }

    private void MarkJoined(string token)
    {
        byte[]? rented = token.Length > LongestOnStack ? ArrayPool<byte>.Shared.Rent(token.Length) : null;
        Span<byte> bytes = rented ?? stackalloc byte[LongestOnStack];
        bytes = bytes[..token.Length];
        if (ByteAlphabet.TryRead(token, bytes))
        {
            for (int i = 1; i < bytes.Length; i++)
            {
                _joined[(bytes[i - 1] << 2) | (bytes[i] >> 6)] |= 1UL << bytes[i];
            }
        }

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void AddTokens(string file, IReadOnlyList<AddedToken> added)
    {
        for (int i = 0; i < added.Count; i++)
        {
            AddedToken token = added[i];
            bool fits = _ids.TryGetValue(token.Text, out int id) ? id == token.Id : _tokens[token.Id] is null;
            if (token.IsSpecial && Array.IndexOf(_tokenOfByte, token.Id) >= 0)
            {
                throw new InvalidDataException($"{file}: added_tokens: "
                    + $"{HostileText.Quote(token.Text)} with id {token.Id}, wanted one that is no byte's token");
            }

            if (!fits)
            {
                throw new InvalidDataException($"{file}: added_tokens: "
                    + $"{HostileText.Quote(token.Text)} with id {token.Id}, wanted its id in the vocabulary");
            }

            _ids[token.Text] = token.Id;
            _tokens[token.Id] = token.Text;
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Text);
        }
    }
}
