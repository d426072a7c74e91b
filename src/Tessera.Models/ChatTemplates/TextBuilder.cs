using System.Text;
using Tessera.Models.Tokenizers;

namespace Tessera.Models.ChatTemplates;

/// <summary>Builds a text from parts, each of which keeps whose it is.</summary>
internal sealed class TextBuilder
{
    private readonly StringBuilder _characters = new();
    private readonly List<Text.Run> _runs = [];

    /// <summary>Gets the length so far in UTF-16 units.</summary>
    public int Length => _characters.Length;

    /// <summary>Appends characters.</summary>
    public void Append(ReadOnlySpan<char> characters, bool isTemplate)
    {
        if (characters.Length == 0)
        {
            return;
        }

        _characters.Append(characters);
        Text.Run run = new(_characters.Length, isTemplate);
        if (_runs.Count > 0 && _runs[^1].IsTemplate == isTemplate)
        {
            _runs[^1] = run;
        }
        else
        {
            _runs.Add(run);
        }
    }

    /// <summary>Appends a text.</summary>
    public void Append(Text text) => Append(text, 0, text.Value.Length);

    /// <summary>Appends a part of a text, by UTF-16 units.</summary>
    public void Append(Text text, int start, int end)
    {
        int position = start;
        foreach (Text.Run run in text.Runs)
        {
            if (run.End > position)
            {
                int stop = Math.Min(run.End, end);
                Append(text.Value.AsSpan(position, stop - position), run.IsTemplate);
                position = stop;
            }

            if (position >= end)
            {
                break;
            }
        }
    }

    /// <summary>Returns what was built.</summary>
    public Text ToText() => _characters.Length == 0 ? Text.Empty : new Text(_characters.ToString(), [.. _runs]);

    /// <summary>Returns what was built as spans for a tokenizer.</summary>
    public RenderedChat ToChat()
    {
        string text = _characters.ToString();
        List<TextSpan> spans = new(_runs.Count);
        int start = 0;
        foreach (Text.Run run in _runs)
        {
            spans.Add(new TextSpan(text[start..run.End], run.IsTemplate));
            start = run.End;
        }

        return new RenderedChat(text, spans);
    }
}
