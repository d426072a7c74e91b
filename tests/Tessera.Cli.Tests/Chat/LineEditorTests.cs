using Tessera.Cli.Chat;
using Xunit;

namespace Tessera.Cli.Tests.Chat;

public sealed class LineEditorTests
{
    [Fact]
    public void KeysEditTheLine()
    {
        Assert.Equal("abc", Read(Type("abc")));
        ConsoleKeyInfo left = Key(ConsoleKey.LeftArrow);
        Assert.Equal("axbc", Read([.. Type("abc"), left, left, .. Type("x")]));
        Assert.Equal("ab", Read([.. Type("abc"), Key(ConsoleKey.Backspace)]));
        Assert.Equal("bc", Read([.. Type("abc"), Key(ConsoleKey.Home), Key(ConsoleKey.Delete)]));
        Assert.Equal("one ", Read([.. Type("one two"), Control(ConsoleKey.W)]));
        Assert.Equal("x", Read([.. Type("one two"), Control(ConsoleKey.U), .. Type("x")]));
        Assert.Equal("", Read([.. Type("one"), Control(ConsoleKey.A), Control(ConsoleKey.K)]));

        // A picture of two code units, and a letter with its accent, are one step each.
        Assert.Equal("a", Read([.. Type("a😀"), Key(ConsoleKey.Backspace)]));
        Assert.Equal("a", Read([.. Type("ae\u0301"), Key(ConsoleKey.Backspace)]));
    }

    [Fact]
    public void LinesAreRemembered()
    {
        FakeKeys keys = new();
        LineEditor editor = new(keys, TextWriter.Null, () => 80);
        foreach (string line in new[] { "first", "second", "second" })
        {
            keys.Press([.. Type(line), Enter]);
            Assert.Equal(line, editor.Read("> ").Text);
        }

        keys.Press([Key(ConsoleKey.UpArrow), Key(ConsoleKey.UpArrow), Enter]);
        Assert.Equal("first", editor.Read("> ").Text);
        keys.Press([Key(ConsoleKey.UpArrow), Key(ConsoleKey.DownArrow), .. Type("new"), Enter]);
        Assert.Equal("new", editor.Read("> ").Text);
    }

    [Fact]
    public void ControlKeysEndTheLine()
    {
        FakeKeys keys = new();
        LineEditor editor = new(keys, TextWriter.Null, () => 80);
        keys.Press([.. Type("abc"), Control(ConsoleKey.C)]);
        Assert.Equal(LineEditor.Ending.Cancelled, editor.Read("> ").Ending);
        keys.Press([Control(ConsoleKey.D)]);
        Assert.Equal(LineEditor.Ending.Closed, editor.Read("> ").Ending);
    }

    [Fact]
    public void PastedLinesStayOneMessage()
    {
        FakeKeys keys = new() { Pasted = true };
        keys.Press([.. Type("one"), Enter, .. Type("two"), Enter]);
        Assert.Equal("one\ntwo", new LineEditor(keys, TextWriter.Null, () => 80).Read("> ").Text);
    }

    [Theory]
    [InlineData("hello\\|world", "hello\nworld")]
    [InlineData("\"\"\"|one|two|\"\"\"", "one\ntwo")]
    [InlineData("\"\"\"one|two\"\"\"", "one\ntwo")]
    [InlineData("\"\"\"one\"\"\"", "one")]
    [InlineData("plain", "plain")]
    [InlineData("open\\", "open\n")]
    public void MessagesMayHaveManyLines(string typed, string expected)
    {
        Queue<string> lines = new(typed.Split('|'));
        Assert.Equal(expected, ChatInput.Read(_ => lines.TryDequeue(out string? line) ? line : null));
        Assert.Empty(lines);
        Assert.Null(ChatInput.Read(_ => null));
    }

    [Theory]
    [InlineData("abc", 3)]
    [InlineData("漢字", 4)]
    [InlineData("e\u0301", 1)]
    [InlineData("😀", 2)]
    public void WidthsAreThoseOfATerminal(string text, int columns) => Assert.Equal(columns, CharacterWidth.Of(text));

    private static ConsoleKeyInfo Enter => Key(ConsoleKey.Enter);

    private static string Read(ConsoleKeyInfo[] pressed)
    {
        FakeKeys keys = new();
        keys.Press([.. pressed, Enter]);

        // A narrow terminal, so that lines wrap.
        return new LineEditor(keys, TextWriter.Null, () => 5).Read("> ").Text;
    }

    private static ConsoleKeyInfo[] Type(string text) =>
        [.. text.Select(letter => new ConsoleKeyInfo(letter, 0, shift: false, alt: false, control: false))];

    private static ConsoleKeyInfo Key(ConsoleKey key) => new('\0', key, shift: false, alt: false, control: false);

    private static ConsoleKeyInfo Control(ConsoleKey key) => new('\0', key, shift: false, alt: false, control: true);

    private sealed class FakeKeys : IKeySource
    {
        private readonly Queue<ConsoleKeyInfo> _keys = new();

        public bool Pasted { get; init; }

        public bool IsWaiting => Pasted && _keys.Count > 0;

        public void Press(ConsoleKeyInfo[] keys) => Array.ForEach(keys, _keys.Enqueue);

        public ConsoleKeyInfo Read() => _keys.Dequeue();
    }
}
