using System.Text;

namespace Tessera.Cli.Chat;

/// <summary>Reads a line from a terminal with the keys that shells have taught people, and a history.</summary>
/// <param name="keys">Where keys come from.</param>
/// <param name="screen">Where the line is shown.</param>
/// <param name="columns">Returns the terminal's width.</param>
internal sealed class LineEditor(IKeySource keys, TextWriter screen, Func<int> columns)
{
    private const string ClearToEnd = "\e[J";

    private readonly List<string> _history = [];
    private readonly LineBuffer _line = new();
    private string _prompt = "";
    private int _promptWidth;
    private int _cursorRow;
    private int _place;

    /// <summary>Gets what a line ended with that was not sent.</summary>
    public enum Ending
    {
        /// <summary>Enter.</summary>
        Sent,

        /// <summary>Ctrl-C.</summary>
        Cancelled,

        /// <summary>Ctrl-D on an empty line.</summary>
        Closed,
    }

    /// <summary>Reads a line.</summary>
    /// <param name="prompt">What stands before it.</param>
    /// <param name="style">The escape sequence that sets the prompt's style; empty for none.</param>
    public (Ending Ending, string Text) Read(string prompt, string style = "")
    {
        _prompt = style.Length > 0 ? $"{style}{prompt}\e[0m" : prompt;
        _promptWidth = CharacterWidth.Of(prompt);
        (_cursorRow, _place) = (0, _history.Count);
        _line.Set("");
        Draw();
        while (true)
        {
            ConsoleKeyInfo key = keys.Read();
            if (key.Key == ConsoleKey.Enter && !keys.IsWaiting)
            {
                return (Ending.Sent, Finish(remember: true));
            }

            bool control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            if (control && key.Key == ConsoleKey.C)
            {
                return (Ending.Cancelled, Finish(remember: false));
            }

            if (control && key.Key == ConsoleKey.D && _line.Text.Length == 0)
            {
                return (Ending.Closed, Finish(remember: false));
            }

            Edit(key, control);

            // Keys that come all at once were pasted: they are drawn together.
            if (!keys.IsWaiting)
            {
                Draw();
            }
        }
    }

    private void Edit(ConsoleKeyInfo key, bool control)
    {
        switch (key.Key, control)
        {
            // Enter with more to come is part of a pasted text.
            case (ConsoleKey.Enter, _): _line.Insert("\n"); break;
            case (ConsoleKey.Backspace, _): _line.RemoveBefore(); break;
            case (ConsoleKey.Delete, _) or (ConsoleKey.D, true): _line.RemoveBehind(); break;
            case (ConsoleKey.LeftArrow, _) or (ConsoleKey.B, true): _line.Left(); break;
            case (ConsoleKey.RightArrow, _) or (ConsoleKey.F, true): _line.Right(); break;
            case (ConsoleKey.Home, _) or (ConsoleKey.A, true): _line.Home(); break;
            case (ConsoleKey.End, _) or (ConsoleKey.E, true): _line.End(); break;
            case (ConsoleKey.W, true): _line.RemoveWord(); break;
            case (ConsoleKey.U, true): _line.RemoveToStart(); break;
            case (ConsoleKey.K, true): _line.RemoveToEnd(); break;
            case (ConsoleKey.UpArrow, _) or (ConsoleKey.P, true): Recall(_place - 1); break;
            case (ConsoleKey.DownArrow, _) or (ConsoleKey.N, true): Recall(_place + 1); break;
            case (ConsoleKey.Tab, _): _line.Insert(" "); break;
            default:
                if (!char.IsControl(key.KeyChar))
                {
                    _line.Insert(key.KeyChar.ToString());
                }

                break;
        }
    }

    private void Recall(int place)
    {
        if (place < 0 || place > _history.Count)
        {
            return;
        }

        _place = place;
        _line.Set(place == _history.Count ? "" : _history[place]);
    }

    private string Finish(bool remember)
    {
        _line.End();
        Draw();
        screen.Write("\r\n");
        if (remember && _line.Text.Length > 0 && (_history.Count == 0 || _history[^1] != _line.Text))
        {
            _history.Add(_line.Text);
        }

        return _line.Text;
    }

    private void Draw()
    {
        StringBuilder drawn = new("\r");
        if (_cursorRow > 0)
        {
            drawn.Append($"\e[{_cursorRow}A");
        }

        drawn.Append(ClearToEnd).Append(_prompt).Append(_line.Text.Replace("\n", "\r\n"));
        int width = Math.Max(columns(), 1);
        (int endRow, int endColumn) = Place(_line.Text, width);
        if (endColumn == 0 && endRow > 0 && !_line.Text.EndsWith('\n'))
        {
            // A terminal goes to the next row only when there is something to write there.
            drawn.Append("\r\n");
        }

        (int row, int column) = Place(_line.Text.AsSpan(0, _line.Cursor), width);
        if (endRow > row)
        {
            drawn.Append($"\e[{endRow - row}A");
        }

        drawn.Append('\r');
        if (column > 0)
        {
            drawn.Append($"\e[{column}C");
        }

        _cursorRow = row;
        screen.Write(drawn);
    }

    /// <summary>Returns where the terminal's cursor stands after the prompt and a text.</summary>
    private (int Row, int Column) Place(ReadOnlySpan<char> text, int width)
    {
        (int row, int column) = (_promptWidth / width, _promptWidth % width);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == '\n')
            {
                (row, column) = (row + 1, 0);
                continue;
            }

            // A wide character that doesn't fit stands in the next row whole.
            int needed = CharacterWidth.Of(rune);
            (row, column) = column + needed > width ? (row + 1, needed) : (row, column + needed);
            (row, column) = column == width ? (row + 1, 0) : (row, column);
        }

        return (row, column);
    }
}
