using Tessera.Tensors;
using Tessera.Tensors.Threading;
using Xunit;

namespace Tessera.Models.Tests;

/// <summary>
/// A whole step's gradients don't depend on the number of threads, nor a row's logits on how the batch was cut. Runs
/// while no other test does, since one region at a time has the workers.
/// </summary>
[CollectionDefinition(nameof(SameBitsTests), DisableParallelization = true)]
[Collection(nameof(SameBitsTests))]
public sealed class SameBitsTests
{
    // 698 rows, a multiple of no tile, are several items of every operation that cuts rows.
    private static readonly int[] _documents = [301, 1, 17, 64, 130, 33, 2, 150];

    public static TheoryData<string, DType> Models()
    {
        TheoryData<string, DType> models = [];
        foreach (string name in SmallModels.Names)
        {
            models.Add(name, DType.F32);
            models.Add(name, DType.BF16);
        }

        return models;
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void LossAndGradientsDontDependOnTheNumberOfThreads(string name, DType type)
    {
        Dictionary<string, int[]> one = Step(name, type, threads: 1);
        foreach (int threads in (int[])[2, Workers.Count])
        {
            Dictionary<string, int[]> many = Step(name, type, threads);
            Assert.All(one, part => Assert.True(
                part.Value.AsSpan().SequenceEqual(many[part.Key]), $"{part.Key} differs with {threads} threads"));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void LogitsDontDependOnNeighboursSlicesOrThreads(string name, DType type)
    {
        Transformer model = SmallModels.Create(name, type);
        (int[] ids, _) = SmallModels.Rows(4, _documents.Sum());
        int[][] documents = new int[_documents.Length][];
        for (int i = 0, start = 0; i < documents.Length; start += _documents[i++])
        {
            documents[i] = ids[start..(start + _documents[i])];
        }

        int[] together = Bits(model, ids, Segments.Of(_documents));
        using (Workers.Limit(1))
        {
            Assert.Equal(together, Bits(model, ids, Segments.Of(_documents)));
        }

        Assert.Equal(together, documents.SelectMany(d => Bits(model, d, Segments.Of(d.Length))));
        foreach (int slice in (int[])[1, 7, 33])
        {
            // The first document alone is left out: it would take most of the time.
            int[] sliced = [.. InSlices(model, documents[1..], slice).SelectMany(d => d)];
            Assert.Equal(together[^sliced.Length..], sliced);
        }
    }

    /// <summary>Returns the bits of the loss and of every gradient of one step.</summary>
    private static Dictionary<string, int[]> Step(string name, DType type, int threads)
    {
        Transformer model = SmallModels.Create(name, type);
        (int[] ids, int[] labels) = SmallModels.Rows(3, _documents.Sum());
        float[] weights = [.. ids.Select(id => 1 + (id % 3))];
        using ThreadLimit limit = Workers.Limit(threads);
        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        LossOptions options = new(LabelSmoothing: 0.1, ZLoss: 1e-3, Entropies: true);
        TokenLosses losses = model.Loss(
            ids, Segments.Of(_documents), labels, weights, Ops.MeanScale(labels), options, new Layers.Dropout(0.1, 5));
        Dictionary<string, int[]> bits = new()
        {
            ["loss"] = Bits(losses.Loss),
            ["log-probabilities"] = Bits(losses.LogProbabilities),
            ["entropies"] = Bits(losses.Entropies!),
        };
        tape.Backward(losses.Loss);
        foreach (Parameter parameter in model.Parameters.All)
        {
            Assert.Contains(parameter.Gradient!.ToArray<float>(), value => value != 0);
            bits.Add(parameter.Name, Bits(parameter.Gradient!));
        }

        return bits;
    }

    /// <summary>Returns the logits' bits of each document, all documents' next slices in one call.</summary>
    private static int[][] InSlices(Transformer model, int[][] documents, int slice)
    {
        using KeyValueCache cache = model.CreateCache(blocks: 64);
        int used = 0;
        int[][] blocks = [.. documents.Select(document => Enumerable
            .Range(0, (document.Length + cache.Size.BlockPositions - 1) / cache.Size.BlockPositions)
            .Select(_ => used++).ToArray())];
        List<int>[] logits = [.. documents.Select(_ => new List<int>())];
        for (int past = 0; documents.Any(document => past < document.Length); past += slice)
        {
            Segments segments = new();
            List<(int Document, int Length)> parts = [];
            for (int i = 0; i < documents.Length; i++)
            {
                int length = Math.Clamp(documents[i].Length - past, 0, slice);
                if (length > 0)
                {
                    parts.Add((i, length));
                    segments.Add(length, past, blocks[i]);
                }
            }

            int[] ids = [.. parts.SelectMany(part => documents[part.Document].AsSpan(past, part.Length).ToArray())];
            ReadOnlySpan<int> bits = Bits(model, ids, segments, cache);
            foreach ((int document, int length) in parts)
            {
                logits[document].AddRange(bits[..(length * SmallModels.Vocabulary)]);
                bits = bits[(length * SmallModels.Vocabulary)..];
            }
        }

        return [.. logits.Select(rows => rows.ToArray())];
    }

    private static int[] Bits(Transformer model, int[] ids, Segments segments, KeyValueCache? cache = null)
    {
        using TensorScope scope = TensorScope.Begin();
        return Bits(model.Logits(model.Forward(ids, segments, cache)));
    }

    private static int[] Bits(Tensor tensor) =>
        Array.ConvertAll(tensor.ToArray<float>(), BitConverter.SingleToInt32Bits);
}
