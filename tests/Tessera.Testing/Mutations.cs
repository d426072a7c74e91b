using System.Text;

namespace Tessera.Testing;

/// <summary>
/// Damages a valid file in the ways that break readers: flipped bits, cuts, copies, huge numbers, wrong types.
/// </summary>
public static class Mutations
{
    private static readonly string[] _words =
    [
        "-1", "0", "1e999", "-0", "18446744073709551615", "9223372036854775807", "2147483648", "4294967297", "0.5",
        "null", "true", "\"\"", "\"\\ud800\"", "[]", "{}", "[[[[[[[[", "{\"a\":{\"a\":{\"a\":", "\"a\":", ",", "]", "}",
        "\0", "\u00ff",
    ];

    /// <summary>Returns a copy with one to four damages, the same for the same seed.</summary>
    public static byte[] Mutate(ReadOnlySpan<byte> original, int seed)
    {
        Random random = new(seed);
        List<byte> bytes = [.. original];
        int count = random.Next(1, 5);
        for (int i = 0; i < count; i++)
        {
            Damage(bytes, random);
        }

        return [.. bytes];
    }

    private static void Damage(List<byte> bytes, Random random)
    {
        // Headers and structure stand at the beginning of most formats: half of the damage goes there.
        int reach = random.Next(2) == 0 ? bytes.Count : Math.Min(bytes.Count, 256);
        int place = random.Next(reach + 1);
        int length = Math.Min(random.Next(1, 16), bytes.Count - place);
        switch (random.Next(7))
        {
            case 0 when place < bytes.Count:
                bytes[place] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when place < bytes.Count:
                bytes[place] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(place, length);
                break;
            case 3:
                bytes.RemoveRange(place, bytes.Count - place);
                break;
            case 4:
                bytes.InsertRange(place, bytes.GetRange(place, length));
                break;
            case 5:
                bytes.InsertRange(place, Encoding.Latin1.GetBytes(_words[random.Next(_words.Length)]));
                break;
            default:
                ReplaceNumber(bytes, place, random);
                break;
        }
    }

    /// <summary>Puts a word in the place of the next digits.</summary>
    private static void ReplaceNumber(List<byte> bytes, int place, Random random)
    {
        int from = place;
        while (from < bytes.Count && !char.IsAsciiDigit((char)bytes[from]))
        {
            from++;
        }

        int to = from;
        while (to < bytes.Count && char.IsAsciiDigit((char)bytes[to]))
        {
            to++;
        }

        bytes.RemoveRange(from, to - from);
        bytes.InsertRange(from, Encoding.Latin1.GetBytes(_words[random.Next(_words.Length)]));
    }
}
