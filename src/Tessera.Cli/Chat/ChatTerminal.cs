using Spectre.Console;

namespace Tessera.Cli.Chat;

/// <summary>
/// Talks to whoever sits there: answers go to standard output, all else to standard error. Where standard input is no
/// terminal, lines are read as they are and nothing is asked for.
/// </summary>
internal sealed class ChatTerminal
{
    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(StandardStreams.Error),
        Ansi = Console.IsErrorRedirected ? AnsiSupport.No : AnsiSupport.Detect,
    });

    private readonly TextReader? _lines = Console.IsInputRedirected ? StandardStreams.OpenInput() : null;
    private readonly LineEditor? _editor;
    private readonly string _promptStyle;

    public ChatTerminal()
    {
        bool plain = Console.IsErrorRedirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        _promptStyle = plain ? "" : "\e[1;36m";
        _editor = _lines is null ? new LineEditor(new ConsoleKeys(), StandardStreams.Error, Columns) : null;
    }

    /// <summary>Gets whether a person types.</summary>
    public bool IsInteractive => _editor is not null;

    /// <summary>Shows a line of markup beside the conversation, without control characters.</summary>
    public void Note(string markup) => _console.MarkupLine(AnswerOutput.Harmless(markup));

    /// <summary>Shows a table of names and values.</summary>
    public void Table(IEnumerable<(string Name, string Value)> rows)
    {
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadLeft(2).PadRight(2)).AddColumn();
        foreach ((string name, string value) in rows)
        {
            grid.AddRow($"[bold]{Markup.Escape(name)}[/]", Markup.Escape(value));
        }

        _console.Write(grid);
    }

    /// <summary>Reads a message; null at the end, and empty when it was given up.</summary>
    public string? Read()
    {
        if (_editor is null)
        {
            return ChatInput.Read(_ => _lines!.ReadLine());
        }

        bool cancelled = false;
        string? message = ChatInput.Read(first =>
        {
            (LineEditor.Ending ending, string text) = _editor.Read(first ? "> " : "… ", _promptStyle);
            cancelled |= ending == LineEditor.Ending.Cancelled;
            return ending == LineEditor.Ending.Sent ? text : null;
        });
        if (cancelled)
        {
            Note("[grey]/exit or Ctrl-D ends the chat[/]");
            return "";
        }

        return message;
    }

    // A window may be made narrower at any time, and some terminals don't say.
    private static int Columns() => Console.WindowWidth > 0 ? Console.WindowWidth : 80;
}
