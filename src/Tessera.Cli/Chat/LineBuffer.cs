using System.Globalization;

namespace Tessera.Cli.Chat;

/// <summary>Holds a line that is being edited, with its cursor; a character that people see is one step.</summary>
internal sealed class LineBuffer
{
    /// <summary>Gets the text.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Gets the place of the cursor in the text.</summary>
    public int Cursor { get; private set; }

    /// <summary>Puts another text in place, with the cursor at its end.</summary>
    public void Set(string text) => (Text, Cursor) = (text, text.Length);

    /// <summary>Writes at the cursor.</summary>
    public void Insert(string text) => (Text, Cursor) = (Text.Insert(Cursor, text), Cursor + text.Length);

    /// <summary>Removes the character before the cursor.</summary>
    public void RemoveBefore() => RemoveFrom(Previous());

    /// <summary>Removes the character behind the cursor.</summary>
    public void RemoveBehind() => Text = Text.Remove(Cursor, Next() - Cursor);

    /// <summary>Removes the word before the cursor.</summary>
    public void RemoveWord()
    {
        int start = Cursor;
        while (start > 0 && char.IsWhiteSpace(Text[start - 1]))
        {
            start--;
        }

        while (start > 0 && !char.IsWhiteSpace(Text[start - 1]))
        {
            start--;
        }

        RemoveFrom(start);
    }

    /// <summary>Removes all before the cursor.</summary>
    public void RemoveToStart() => RemoveFrom(0);

    /// <summary>Removes all behind the cursor.</summary>
    public void RemoveToEnd() => Text = Text[..Cursor];

    /// <summary>Moves by a character.</summary>
    public void Left() => Cursor = Previous();

    /// <summary>Moves by a character.</summary>
    public void Right() => Cursor = Next();

    /// <summary>Moves to the start.</summary>
    public void Home() => Cursor = 0;

    /// <summary>Moves to the end.</summary>
    public void End() => Cursor = Text.Length;

    private void RemoveFrom(int start) => (Text, Cursor) = (Text.Remove(start, Cursor - start), start);

    private int Next() => Cursor == Text.Length
        ? Cursor
        : Cursor + StringInfo.GetNextTextElementLength(Text, Cursor);

    private int Previous()
    {
        int[] starts = StringInfo.ParseCombiningCharacters(Text[..Cursor]);
        return starts.Length == 0 ? 0 : starts[^1];
    }
}
