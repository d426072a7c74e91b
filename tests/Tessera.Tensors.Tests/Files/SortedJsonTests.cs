using System.Globalization;
using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Tessera.Tensors.Files;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class SortedJsonTests
{
    // What Python 3 prints with repr.
    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1e4, "10000.0")]
    [InlineData(0.1, "0.1")]
    [InlineData(-12.5, "-12.5")]
    [InlineData(1e-4, "0.0001")]
    [InlineData(1.5e-4, "0.00015")]
    [InlineData(1e-5, "1e-05")]
    [InlineData(1e-6, "1e-06")]
    [InlineData(1.5e-7, "1.5e-07")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1e22, "1e+22")]
    [InlineData(123456789012345680.0, "1.2345678901234568e+17")]
    [InlineData(1234567890123456.0, "1234567890123456.0")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(double.MaxValue, "1.7976931348623157e+308")]
    public void NumbersAreWrittenAsPythonDoes(double value, string expected) =>
        Assert.Equal(expected, SortedJson.Number(value));

    [Property]
    public bool ANumberIsReadBackAsItself(double value) => !double.IsFinite(value)
        || double.Parse(SortedJson.Number(value), CultureInfo.InvariantCulture).Equals(value);

    [Fact]
    public void KeysAreSortedAndTextIsEscapedAsPythonDoes()
    {
        JsonObject value = new()
        {
            ["b"] = new JsonArray(1, 2.0, 0.1f, 3f, "é\"\\\n\u007f\u0001😀"),
            ["a"] = new JsonObject(),
            ["B"] = new JsonArray(),
            ["c"] = null,
            ["d"] = JsonNode.Parse("[true, 1E-6, 7, 18446744073709551616]"),
        };
        const string Expected = """
            {
              "B": [],
              "a": {},
              "b": [
                1,
                2.0,
                0.1,
                3.0,
                "\u00e9\"\\\n\u007f\u0001\ud83d\ude00"
              ],
              "c": null,
              "d": [
                true,
                1e-06,
                7,
                18446744073709551616
              ]
            }

            """;
        Assert.Equal(Expected.ReplaceLineEndings("\n"), SortedJson.Write(value));
        Assert.Contains("\"é\\\"\\\\\\n\u007f\\u0001😀\"", SortedJson.Write(value, ascii: false));
    }

    [Fact]
    public void NumbersThatJsonHasNotAreErrors()
    {
        Assert.Throws<ArgumentException>(() => SortedJson.Number(double.NaN));
        Assert.Throws<ArgumentException>(() => SortedJson.Number(double.NegativeInfinity));
    }
}
