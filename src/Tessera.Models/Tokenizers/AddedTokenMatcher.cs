using System.Buffers;
using System.Globalization;
using System.Text;

namespace Tessera.Models.Tokenizers;

/// <summary>Finds added tokens in a UTF-8 text: the leftmost first, of those that start together the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<long, int> _children = [];
    private readonly List<AddedToken?> _ends = [null];
    private readonly SearchValues<byte> _firstBytes;

    /// <summary>Makes a matcher of tokens with texts that are not empty and differ from each other.</summary>
    public AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        Span<byte> firstBytes = stackalloc byte[256];
        int count = 0;
        foreach (AddedToken token in tokens)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(token.Text);
            if (!firstBytes[..count].Contains(bytes[0]))
            {
                firstBytes[count++] = bytes[0];
            }

            int node = 0;
            foreach (byte value in bytes)
            {
                node = Child(node, value);
            }

            _ends[node] = token;
        }

        IsEmpty = count == 0;
        _firstBytes = SearchValues.Create(firstBytes[..count]);
    }

    /// <summary>Gets whether there is nothing to find.</summary>
    public bool IsEmpty { get; }

    /// <summary>
    /// Finds the first token at or after a position; control tokens only within trusted ranges. The text counts from
    /// <paramref name="textStart"/> on: what stands before is another text.
    /// </summary>
    public bool TryFind(
        ReadOnlySpan<byte> text, int textStart, int from, ReadOnlySpan<Range> trusted, out Match match)
    {
        int start = from;
        while (start < text.Length)
        {
            int ahead = text[start..].IndexOfAny(_firstBytes);
            if (ahead < 0)
            {
                break;
            }

            start += ahead;
            if (LongestAt(text, start, trusted, out AddedToken? token, out int end))
            {
                if (!token!.SingleWord || StandsAlone(text, textStart, start, end))
                {
                    int left = token.StripsLeft ? Math.Max(from, SpaceStart(text, start)) : start;
                    int right = token.StripsRight ? TextClasses.RunEnd(text, end, TextClass.Space) : end;
                    match = new Match(token, left, right);
                    return true;
                }

                start = end;
            }
            else
            {
                start++;
            }
        }

        match = default;
        return false;
    }

    private bool LongestAt(
        ReadOnlySpan<byte> text, int start, ReadOnlySpan<Range> trusted, out AddedToken? token, out int end)
    {
        (token, end) = (null, start);
        int trustedEnd = TrustedEnd(trusted, start);
        int node = 0;
        for (int i = start; i < text.Length && _children.TryGetValue(Key(node, text[i]), out node); i++)
        {
            if (_ends[node] is AddedToken found && (!found.IsSpecial || i < trustedEnd))
            {
                (token, end) = (found, i + 1);
            }
        }

        return token is not null;
    }

    // The end of the trusted range that holds a position, or 0.
    private static int TrustedEnd(ReadOnlySpan<Range> trusted, int position)
    {
        (int low, int high) = (0, trusted.Length);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = trusted[middle].End.Value <= position ? (middle + 1, high) : (low, middle);
        }

        return low < trusted.Length && trusted[low].Start.Value <= position ? trusted[low].End.Value : 0;
    }

    private static bool StandsAlone(ReadOnlySpan<byte> text, int textStart, int start, int end)
    {
        bool wordBefore = start > textStart
            && Rune.DecodeLastFromUtf8(text[textStart..start], out Rune before, out _) == OperationStatus.Done
            && IsWord(before);
        bool wordAfter = end < text.Length
            && Rune.DecodeFromUtf8(text[end..], out Rune after, out _) == OperationStatus.Done
            && IsWord(after);
        return !wordBefore && !wordAfter;
    }

    // \w of Unicode's regular expressions: letters, marks, decimal digits, connectors, letter-like numbers and joiners.
    private static bool IsWord(Rune rune) => rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune)
        is <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;

    private static int SpaceStart(ReadOnlySpan<byte> text, int end)
    {
        while (end > 0
            && Rune.DecodeLastFromUtf8(text[..end], out Rune rune, out int length) == OperationStatus.Done
            && TextClasses.Of(rune) == TextClass.Space)
        {
            end -= length;
        }

        return end;
    }

    private static long Key(int node, byte value) => ((long)node << 8) | value;

    private int Child(int node, byte value)
    {
        if (!_children.TryGetValue(Key(node, value), out int child))
        {
            child = _ends.Count;
            _ends.Add(null);
            _children.Add(Key(node, value), child);
        }

        return child;
    }

    /// <summary>States what was found and the range of bytes that it takes.</summary>
    public readonly record struct Match(AddedToken Token, int Start, int End);
}
