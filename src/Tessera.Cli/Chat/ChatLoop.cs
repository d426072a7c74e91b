using System.Runtime.InteropServices;
using System.Text;
using Spectre.Console;
using Tessera.Inference;
using Tessera.Models.ChatTemplates;

namespace Tessera.Cli.Chat;

/// <summary>Reads questions and commands, and shows answers as they come.</summary>
internal sealed class ChatLoop(ChatModel model, ChatSession session, ChatTerminal terminal)
{
    private static readonly (string Command, string Meaning)[] _commands =
    [
        ("/help", "show this"),
        ("/system TEXT", "tell the model who it is; alone, show what it was told"),
        ("/regen", "give the last answer anew"),
        ("/undo", "take the last question and its answer back"),
        ("/clear", "forget the conversation"),
        ("/save FILE", "write the conversation to a file, as JSON"),
        ("/load FILE", "go on with one that was saved"),
        ("/stats", "show tokens and speed of the last answer"),
        ("/exit", "end the chat; Ctrl-D does too"),
        ("Ctrl-C", "stop the answer"),
        ("\\ at the end", "go on in the next line; a text of many lines can stand between \"\"\" and \"\"\""),
    ];

    private readonly ChatStatistics _statistics = new(TimeProvider.System);
    private volatile CancellationTokenSource? _answering;
    private bool _answerFailed;

    /// <summary>Runs until the input ends; returns whether every question that came got an answer.</summary>
    public bool Run()
    {
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            // While an answer comes, Ctrl-C stops that; else, and where nobody types, it does what it always does.
            CancellationTokenSource? answering = terminal.IsInteractive ? _answering : null;
            signal.Cancel = answering is not null;
            answering?.Cancel();
        });
        if (terminal.IsInteractive)
        {
            terminal.Note($"[bold]{Markup.Escape(model.Name)}[/] [grey]· /help for help, Ctrl-D to end[/]");
        }

        while (terminal.Read() is { } message)
        {
            string trimmed = message.Trim();
            if (trimmed is "/exit" or "/quit")
            {
                break;
            }

            Act(trimmed);
        }

        return !_answerFailed;
    }

    private void Act(string message)
    {
        bool isCommand = message.StartsWith('/') && !message.Contains('\n');
        try
        {
            if (isCommand)
            {
                Command(message);
            }
            else if (message.Length > 0)
            {
                session.Ask(message);
                Answer();
            }
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException
            or InvalidOperationException or ArgumentException or ChatTemplateException)
        {
            _answerFailed |= !isCommand;
            Complain(error.Message);
        }
    }

    private void Command(string message)
    {
        string[] words = message.Split(' ', 2, StringSplitOptions.TrimEntries);
        string argument = words.Length > 1 ? words[1] : "";
        switch (words[0])
        {
            case "/help": terminal.Table(_commands); break;
            case "/system": SetSystem(argument); break;
            case "/regen" when session.TakeAnswer(): Answer(); break;
            case "/regen": Complain("there is no answer yet"); break;
            case "/undo" when session.Undo(): terminal.Note("[grey]taken back[/]"); break;
            case "/undo": Complain("nothing was said yet"); break;
            case "/clear": session.Clear(); terminal.Note("[grey]forgotten[/]"); break;
            case "/save" or "/load" when argument.Length == 0: Complain($"{words[0]} needs the name of a file"); break;
            case "/save": Save(argument); break;
            case "/load": Load(argument); break;
            case "/stats": terminal.Table(Statistics()); break;
            default: Complain($"{words[0]} is no command; /help lists them"); break;
        }
    }

    private void Answer()
    {
        StringBuilder text = new();

        // Never disposed: the thread of a signal may hold it still, and without a timer it has nothing to free.
        CancellationTokenSource answering = new();
        _answering = answering;
        try
        {
            _statistics.Begin();
            using Generation generation = session.Begin(out int forgotten);
            if (forgotten > 0)
            {
                terminal.Note($"[grey]the context is full: the oldest {forgotten} messages are forgotten[/]");
            }

            Show(generation, text, answering.Token);
        }
        finally
        {
            // What came before Ctrl-C or an error was said; a question without any answer is taken back.
            _answering = null;
            session.Answer(text.ToString());
        }
    }

    private void Show(Generation generation, StringBuilder text, CancellationToken cancelled)
    {
        string ending = "";
        try
        {
            foreach (GenerationPiece piece in generation.Read(cancelled))
            {
                _statistics.Text();
                text.Append(piece.Text);
                AnswerOutput.Write(piece.Text);
            }

            ending = generation.FinishReason == FinishReason.Length ? "[grey](cut at its length)[/]" : "";
        }
        catch (OperationCanceledException)
        {
            ending = "[grey](stopped)[/]";
        }

        _statistics.End(generation);
        AnswerOutput.End();
        if (ending.Length > 0)
        {
            terminal.Note(ending);
        }
    }

    private void SetSystem(string text)
    {
        session.System = text.Length > 0 ? text : session.System;
        terminal.Note(session.System is null
            ? "[grey]the model was told nothing; /system TEXT tells it who it is[/]"
            : $"[grey]the model is told:[/] {Markup.Escape(session.System)}");
    }

    private void Save(string path)
    {
        session.Save(path);
        terminal.Note($"[grey]saved to {Markup.Escape(path)}[/]");
    }

    private void Load(string path)
    {
        session.Load(path);
        foreach (ChatTurn turn in session.Turns)
        {
            terminal.Note($"[grey]{turn.Role}:[/] {Markup.Escape(turn.Content)}");
        }
    }

    private IEnumerable<(string Name, string Value)> Statistics()
    {
        int context = model.Engine.ContextLength;
        int used = _statistics.PromptTokens + _statistics.AnswerTokens;
        yield return ("messages", $"{session.Turns.Count}");
        yield return ("context", $"{used:N0} of {context:N0} tokens");
        yield return ("last prompt", $"{_statistics.PromptTokens:N0} tokens");
        yield return ("last answer", $"{_statistics.AnswerTokens:N0} tokens");
        yield return ("first text after", $"{_statistics.ToFirst.TotalMilliseconds:N0} ms");
        yield return ("then", _statistics.TokensPerSecond is { } speed
            ? $"{speed:N1} tokens a second"
            : "too short to tell");
    }

    private void Complain(string problem) => terminal.Note($"[red]{Markup.Escape(problem)}[/]");
}
