using System.Text;
using Tessera.Models.ChatTemplates;

namespace Tessera.Training.Data;

/// <summary>
/// Takes the first documents of the order in which a run will read them, before anything is tokenised: what a tokenizer
/// is trained on.
/// </summary>
public static class TextSample
{
    /// <summary>
    /// Returns the texts of the first documents, in their order; a conversation is the text of its messages.
    /// </summary>
    /// <param name="sources">For each source its files, and the part of them that is read.</param>
    /// <param name="weights">The sources' shares; empty for one order over all documents.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="documents">The number of documents.</param>
    /// <param name="byteLimit">The bytes at which the sample ends, whole or not.</param>
    /// <param name="badLines">Counts the lines that were skipped.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public static IReadOnlyList<byte[]> First(
        IReadOnlyList<IReadOnlyList<SliceOfFile>> sources,
        IReadOnlyList<double> weights,
        long seed,
        int documents,
        long byteLimit,
        BadLines badLines,
        CancellationToken cancellation = default)
    {
        IReadOnlyList<IReadOnlyList<SliceOfFile>> pools =
            weights.Count == 0 ? [[.. sources.SelectMany(files => files)]] : sources;
        List<int>[] sizes = [.. pools.Select(files => Sizes(files, byteLimit, badLines, cancellation))];
        double sum = weights.Sum();
        double[] shares = weights.Count == 0 ? [1] : [.. weights.Select(w => w / sum)];
        (Dictionary<int, int>[] wanted, int count) = Choose(sizes, shares, seed, documents, byteLimit);
        byte[][] texts = new byte[count][];
        for (int i = 0; i < pools.Count; i++)
        {
            Gather(pools[i], wanted[i], byteLimit, texts, cancellation);
        }

        return texts;
    }

    private static (Dictionary<int, int>[] Wanted, int Count) Choose(
        List<int>[] sizes, double[] shares, long seed, int documents, long byteLimit)
    {
        Dictionary<int, int>[] wanted = [.. sizes.Select(_ => new Dictionary<int, int>())];
        DocumentOrder order = new(seed, [.. sizes.Select(s => Math.Max(1, s.Count))], shares);
        int most = Math.Min(documents, sizes.Sum(s => s.Count)), count = 0;

        // A small source comes round again and gives nothing new; what was asked for may then never be reached.
        for (long bytes = 0, draws = 0; count < most && bytes < byteLimit && draws < 8L * most; draws++)
        {
            int source = order.ChooseSource(), index = order.NextDocument(source);
            int size = index < sizes[source].Count ? sizes[source][index] : 0;
            order.Draw(source, size + 1L);
            if (size > 0 && wanted[source].TryAdd(index, count))
            {
                count++;
                bytes += size;
            }
        }

        return (wanted, count);
    }

    private static List<int> Sizes(
        IReadOnlyList<SliceOfFile> files, long byteLimit, BadLines badLines, CancellationToken cancellation)
    {
        List<int> sizes = [];
        foreach (byte[] text in Texts(files, byteLimit, badLines, cancellation))
        {
            sizes.Add(text.Length);
        }

        return sizes;
    }

    private static void Gather(
        IReadOnlyList<SliceOfFile> files, Dictionary<int, int> wanted, long byteLimit, byte[][] texts,
        CancellationToken cancellation)
    {
        int index = 0;
        foreach (byte[] text in Texts(files, byteLimit, new BadLines(long.MaxValue), cancellation))
        {
            if (wanted.TryGetValue(index++, out int place))
            {
                texts[place] = text;
            }
        }
    }

    private static IEnumerable<byte[]> Texts(
        IReadOnlyList<SliceOfFile> files, long byteLimit, BadLines badLines, CancellationToken cancellation)
    {
        using MemoryStream text = new();
        foreach (SliceOfFile file in files)
        {
            text.SetLength(0);
            foreach (Document document in DocumentReader.Read(file.Path, file.Slice, badLines))
            {
                cancellation.ThrowIfCancellationRequested();
                if (text.Length < byteLimit)
                {
                    text.Write(document.Text.Span);
                }

                foreach (ChatTurn turn in document.Turns)
                {
                    text.Write(Encoding.UTF8.GetBytes(turn.Content + "\n"));
                }

                if (!document.Continues && text.Length > 0)
                {
                    yield return text.ToArray();
                    text.SetLength(0);
                }
            }
        }
    }
}
