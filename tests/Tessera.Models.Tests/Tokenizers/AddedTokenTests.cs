using System.Text;
using System.Text.Json.Nodes;
using Tessera.Models.Tokenizers;
using Xunit;

namespace Tessera.Models.Tests.Tokenizers;

public sealed class AddedTokenTests
{
    // The ids are those of tokenizers (npm @anush008/tokenizers 0.6.0) with the same file.
    [Theory]
    [InlineData("<a>b<ab>", new[] { 256, 98, 257 })]
    [InlineData("one", new[] { 258 })]
    [InlineData("one two", new[] { 258, 32, 262 })]
    [InlineData("bone", new[] { 98, 111, 110, 101 })]
    [InlineData("one1", new[] { 111, 110, 101, 49 })]
    [InlineData("(one)", new[] { 40, 258, 41 })]
    [InlineData("one_", new[] { 111, 110, 101, 95 })]
    [InlineData("x <l> y", new[] { 120, 259, 32, 121 })]
    [InlineData("x  \n<l>y", new[] { 120, 259, 121 })]
    [InlineData("x <r>  y", new[] { 120, 32, 260, 121 })]
    [InlineData("x  <lr> \t y", new[] { 120, 261, 121 })]
    [InlineData("two", new[] { 262 })]
    [InlineData("a<a>two", new[] { 97, 256, 262 })]
    [InlineData("<a>two<a>", new[] { 256, 262, 256 })]
    [InlineData("xtwo", new[] { 120, 116, 119, 111 })]
    [InlineData("<n>two", new[] { 263, 262 })]
    [InlineData("<a><n>", new[] { 256, 263 })]
    [InlineData("<n><a><n>", new[] { 263, 256, 263 })]
    [InlineData("ça", new[] { 266 })]
    [InlineData("aça", new[] { 97, 195, 167, 97 })]
    [InlineData("ça\u0301", new[] { 195, 167, 97, 204, 129 })]
    [InlineData("ça ça", new[] { 266, 32, 266 })]
    [InlineData("çaça", new[] { 195, 167, 97, 195, 167, 97 })]
    [InlineData("one<a>one", new[] { 258, 256, 258 })]
    [InlineData("x<s>y", new[] { 120, 265, 121 })]
    [InlineData("<l> <l>", new[] { 259, 259 })]
    [InlineData("<r> <l>", new[] { 260, 259 })]
    [InlineData("one one", new[] { 258, 32, 258 })]
    [InlineData("two<r> two", new[] { 262, 260, 262 })]
    [InlineData("oneone", new[] { 111, 110, 101, 111, 110, 101 })]
    [InlineData("中one", new[] { 228, 184, 173, 111, 110, 101 })]
    [InlineData("one\u200D", new[] { 111, 110, 101, 226, 128, 141 })]
    [InlineData("one-two", new[] { 258, 45, 262 })]
    [InlineData("<a><n>one", new[] { 256, 263, 258 })]
    [InlineData("  <l>", new[] { 259 })]
    [InlineData("QQtwo", new[] { 267, 262 })]
    [InlineData("QQone", new[] { 267, 111, 110, 101 })]
    [InlineData("RRtwo", new[] { 268, 116, 119, 111 })]
    [InlineData("twoQQ", new[] { 262, 267 })]
    [InlineData("oneQQ", new[] { 111, 110, 101, 267 })]
    [InlineData("QQ two", new[] { 267, 32, 262 })]
    [InlineData("aQQtwo", new[] { 97, 267, 262 })]
    public void OptionsOfAddedTokensAreThoseOfTokenizers(string text, int[] ids) =>
        Assert.Equal(ids, Make().EncodeWithSpecials(text));

    private static ByteLevelBpe Make()
    {
        JsonObject vocabulary = [];
        for (int value = 0; value < 256; value++)
        {
            vocabulary[ByteAlphabet.Token((byte)value)] = value;
        }

        JsonArray added =
        [
            Added(256, "<a>"),
            Added(257, "<ab>"),
            Added(258, "one", "single_word"),
            Added(259, "<l>", "lstrip"),
            Added(260, "<r>", "rstrip"),
            Added(261, "<lr>", "lstrip", "rstrip"),
            Added(262, "two", "single_word", "normalized"),
            Added(263, "<n>", "normalized"),
            Added(264, "<a><n>", "normalized"),
            Added(265, "<s>", "special"),
            Added(266, "ça", "single_word"),
            Added(267, "QQ"),
            Added(268, "RR", "normalized"),
        ];
        JsonObject byteLevel = new()
        {
            ["type"] = "ByteLevel",
            ["add_prefix_space"] = false,
            ["trim_offsets"] = true,
            ["use_regex"] = true,
        };
        JsonObject file = new()
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["pre_tokenizer"] = byteLevel,
            ["decoder"] = byteLevel.DeepClone(),
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
        return ByteLevelBpe.Read("added.json", Encoding.UTF8.GetBytes(file.ToJsonString()));
    }

    private static JsonObject Added(int id, string content, params string[] options)
    {
        JsonObject token = new() { ["id"] = id, ["content"] = content };
        foreach (string option in (string[])["single_word", "lstrip", "rstrip", "normalized", "special"])
        {
            token[option] = options.Contains(option);
        }

        return token;
    }
}
