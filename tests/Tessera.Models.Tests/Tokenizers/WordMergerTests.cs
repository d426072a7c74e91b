using System.Diagnostics;
using System.Text;
using Tessera.Models.Tokenizers;
using Xunit;

namespace Tessera.Models.Tests.Tokenizers;

public sealed class WordMergerTests
{
    [Fact]
    public void ScanAndHeapAreTheDefinition()
    {
        Random random = new(17);
        for (int round = 0; round < 2000; round++)
        {
            List<Merge> merges = RandomMerges(random);
            int[] word = [.. Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(4))];
            int[] expected = Define(word, merges);
            WordMerger merger = new(new MergeTable(merges));
            int[] scanned = [.. word];
            Assert.Equal(expected, scanned[..merger.MergeByScan(scanned)]);
            int[] heaped = [.. word];
            Assert.Equal(expected, heaped[..merger.MergeByHeap(heaped)]);
        }
    }

    [Fact]
    public void AWordOfMegabytesIsNotQuadratic()
    {
        ByteLevelBpe tokenizer = new BpeTrainer(new BpeTrainerSettings { VocabularySize = 280 })
            .Train([new string('a', 5000)]).Tokenizer;
        byte[] word = new byte[8 << 20];
        Array.Fill(word, (byte)'a');
        List<int> ids = [];
        long start = Stopwatch.GetTimestamp();
        tokenizer.Encode(word, ids);

        // A scan of n tokens for each of n merges would take hours; some seconds are measured for the heap.
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 60);
        Assert.Equal(word.Length, ids.Sum(id => tokenizer.TokenBytes(id).Length));
    }

    [Fact]
    public void LongWordsAreEncodedAsIfTheyWereNotCut()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(
            Tessera.Testing.SharedFiles.Path($"{TrainingFile.Folder}/bpe-gpt2.json"));
        Random random = new(23);
        string letters = string.Concat(TrainingFile.Corpus().Where(char.IsLetter));
        List<Merge> merges = [.. tokenizer.Merges.Select(pair => new Merge(
            tokenizer.TokenToId(pair.Left)!.Value,
            tokenizer.TokenToId(pair.Right)!.Value,
            tokenizer.TokenToId(pair.Left + pair.Right)!.Value))];
        for (int round = 0; round < 200; round++)
        {
            int start = random.Next(letters.Length - 300);
            string word = letters.Substring(start, random.Next(1, 300));
            int[] bytes = [.. Encoding.UTF8.GetBytes(word)
                .Select(value => tokenizer.TokenToId(ByteAlphabet.Token(value))!.Value)];
            WordMerger merger = new(new MergeTable(merges));
            Assert.Equal(bytes[..merger.MergeByHeap(bytes)], tokenizer.Encode(word));
        }
    }

    // Sennrich's loop: the pair of lowest rank, of equal ranks the leftmost, until none is left.
    private static int[] Define(int[] word, List<Merge> merges)
    {
        List<int> tokens = [.. word];
        while (true)
        {
            (int rank, int at) best = (int.MaxValue, -1);
            for (int i = 0; i + 1 < tokens.Count; i++)
            {
                int rank = merges.FindIndex(merge => merge.Left == tokens[i] && merge.Right == tokens[i + 1]);
                best = rank >= 0 && rank < best.rank ? (rank, i) : best;
            }

            if (best.at < 0)
            {
                return [.. tokens];
            }

            tokens[best.at] = merges[best.rank].Product;
            tokens.RemoveAt(best.at + 1);
        }
    }

    // Merges in any order, with products that come twice and pairs that come twice.
    private static List<Merge> RandomMerges(Random random)
    {
        List<Merge> merges = [];
        int tokens = 4;
        int count = random.Next(20);
        for (int i = 0; i < count; i++)
        {
            int product = random.Next(8) == 0 ? random.Next(4, tokens + 1) : tokens;
            merges.Add(new Merge(random.Next(tokens), random.Next(tokens), product));
            tokens = Math.Max(tokens, product + 1);
        }

        return [.. merges.OrderBy(_ => random.Next())];
    }
}
