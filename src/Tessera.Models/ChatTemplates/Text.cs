using System.Text;

namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Holds a text and says of each character whether the template wrote it or it came from the conversation. Whatever a
/// template does with texts keeps that, so that data is still data after it was cut, joined and stripped.
/// </summary>
internal sealed class Text : IEquatable<Text>
{
    /// <summary>The text without characters.</summary>
    public static readonly Text Empty = new("", []);

    private readonly Run[] _runs;

    internal Text(string value, Run[] runs, bool isMarkup = false)
    {
        Value = value;
        _runs = runs;
        IsMarkup = isMarkup;
    }

    /// <summary>
    /// Gets whether the text went through the filter <c>safe</c>: what is added to it by <c>+</c> is escaped for HTML,
    /// as Jinja does even where nothing else is escaped.
    /// </summary>
    public bool IsMarkup { get; }

    /// <summary>Gets the characters.</summary>
    public string Value { get; }

    /// <summary>Gets the runs in order: where each ends, and whose it is.</summary>
    public ReadOnlySpan<Run> Runs => _runs;

    /// <summary>Gets the number of code points, which is a text's length in Python.</summary>
    public int Length => HasSurrogates ? Value.EnumerateRunes().Count() : Value.Length;

    private bool HasSurrogates => Value.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') >= 0;

    /// <summary>Makes a text of the template's.</summary>
    public static Text OfTemplate(string value) =>
        value.Length == 0 ? Empty : new(value, [new Run(value.Length, true)]);

    /// <summary>Makes a text from outside.</summary>
    public static Text OfData(string value) =>
        value.Length == 0 ? Empty : new(value, [new Run(value.Length, false)]);

    /// <summary>Cuts out a part, by UTF-16 units.</summary>
    public Text Cut(int start, int end)
    {
        if (start >= end)
        {
            return Empty;
        }

        if (start == 0 && end == Value.Length)
        {
            return this;
        }

        if (_runs.Length == 1)
        {
            return new Text(Value[start..end], [new Run(end - start, _runs[0].IsTemplate)], IsMarkup);
        }

        TextBuilder builder = new();
        builder.Append(this, start, end);
        return IsMarkup ? builder.ToText().AsMarkup() : builder.ToText();
    }

    /// <summary>Returns the text as one that went through <c>safe</c>.</summary>
    public Text AsMarkup() => new(Value, _runs, isMarkup: true);

    /// <summary>Returns the text escaped for HTML.</summary>
    public Text Escaped()
    {
        TextBuilder builder = new();
        int start = 0;
        foreach (Run run in _runs)
        {
            StringBuilder escaped = new(Value, start, run.End - start, 2 * (run.End - start));
            escaped.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
            escaped.Replace("'", "&#39;").Replace("\"", "&#34;");
            builder.Append(escaped.ToString(), run.IsTemplate);
            start = run.End;
        }

        return builder.ToText().AsMarkup();
    }

    /// <summary>Returns the texts of single code points.</summary>
    public List<Text> Characters()
    {
        List<Text> characters = [];
        for (int start = 0; start < Value.Length;)
        {
            int end = start + (char.IsSurrogatePair(Value, start) ? 2 : 1);
            characters.Add(Cut(start, end));
            start = end;
        }

        return characters;
    }

    /// <summary>Returns the position in UTF-16 units of a code point.</summary>
    public int PositionOf(int codePoint)
    {
        if (!HasSurrogates)
        {
            return codePoint;
        }

        int position = 0;
        for (int i = 0; i < codePoint; i++)
        {
            position += char.IsSurrogatePair(Value, position) ? 2 : 1;
        }

        return position;
    }

    /// <inheritdoc/>
    public bool Equals(Text? other) => other is not null && Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object? other) => Equals(other as Text);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Value;

    /// <summary>States where a run of characters ends and whose it is.</summary>
    public readonly record struct Run(int End, bool IsTemplate);
}
