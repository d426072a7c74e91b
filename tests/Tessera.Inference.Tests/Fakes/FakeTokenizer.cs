using System.Text;
using Tessera.Models.Tokenizers;

namespace Tessera.Inference.Tests.Fakes;

/// <summary>
/// Has a token for each byte, a control token that ends an answer, and tokens of the test's own choice.
/// </summary>
internal sealed class FakeTokenizer(params string[] words) : Tokenizer
{
    public const int End = 256;
    public const int FirstWord = 257;

    private readonly byte[][] _bytes =
    [
        .. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), Encoding.UTF8.GetBytes("<end>"),
        .. words.Select(Encoding.UTF8.GetBytes),
    ];

    public override int VocabularySize => _bytes.Length;

    public override string Fingerprint => "fake";

    public override IReadOnlyList<AddedToken> AddedTokens => [new AddedToken { Id = End, Text = "<end>" }];

    public override int? TokenToId(string token) => token == "<end>" ? End : null;

    public override string? IdToToken(int id) => Encoding.Latin1.GetString(_bytes[id]);

    public override ReadOnlySpan<byte> TokenBytes(int id) => _bytes[id];

    public override bool IsSpecial(int id) => id == End;

    protected override void EncodeCore(ReadOnlySpan<byte> utf8, ReadOnlySpan<Range> trusted, List<int> ids)
    {
        foreach (byte value in utf8)
        {
            ids.Add(value);
        }
    }
}
