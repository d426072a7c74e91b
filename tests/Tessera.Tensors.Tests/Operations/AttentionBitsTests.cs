using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;
using Xunit;

namespace Tessera.Tensors.Tests.Operations;

/// <summary>A row's result and a step's gradients are the same bits however the work is cut.</summary>
public sealed class AttentionBitsTests
{
    public static TheoryData<InstructionSet, DType, string> Cases()
    {
        TheoryData<InstructionSet, DType, string> cases = [];
        foreach (InstructionSet set in Processor.Supported)
        {
            foreach (string form in new[] { "plain", "window", "capped with sinks" })
            {
                cases.Add(set, DType.F32, form);
                cases.Add(set, DType.BF16, form);
            }
        }

        return cases;
    }

    // Sequences of several steps of the streaming softmax, cut into 1, 7 and 64 rows a call and whole, in blocks of
    // several sizes; 160 is no power of 2, so that a step meets three panels of one block after one of another.
    [Theory]
    [MemberData(nameof(Cases))]
    public void SlicesAgainstACacheEqualTheWholeWithoutOne(InstructionSet set, DType type, string form)
    {
        AttentionSample sample = Sample(set, form, 1, 300, 3, 129);
        double[] whole = sample.Forward(type);
        foreach ((int slice, int blockPositions) in new[] { (1, 32), (1, 160), (7, 64), (64, 256), (300, 32) })
        {
            using KeyValueCache cache = Cache(sample, set, type, blockPositions);
            Assert.Equal(Bits(whole), Bits(sample.ForwardInSlices(type, cache, slice)));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void MixedTypesOfCacheAndOperandsDependOnNoSlice(InstructionSet set, DType type, string form)
    {
        AttentionSample sample = Sample(set, form, 2, 200, 30);
        DType other = type == DType.F32 ? DType.BF16 : DType.F32;
        using KeyValueCache cache = Cache(sample, set, other, 32);
        double[] whole = sample.ForwardInSlices(type, cache, 200);
        Assert.Equal(Bits(whole), Bits(sample.ForwardInSlices(type, cache, 1)));
        Assert.Equal(Bits(whole), Bits(sample.ForwardInSlices(type, cache, 13)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void NeighboursDontMatter(InstructionSet set, DType type, string form)
    {
        AttentionSample batch = Sample(set, form, 3, 33, 150, 1);
        double[] together = batch.Forward(type);
        int start = 0;
        foreach (int length in batch.Lengths)
        {
            AttentionSample alone = batch.Sequence(start, length);
            int first = start * batch.RowSize;
            Assert.Equal(Bits(together[first..(first + (length * batch.RowSize))]), Bits(alone.Forward(type)));
            start += length;
        }
    }

    // 700 rows of two key heads: the gradient is cut by rows; three sequences: by sequence and head.
    [Theory]
    [MemberData(nameof(Cases))]
    public void ThreadsDontMatter(InstructionSet set, DType type, string form)
    {
        foreach (int[] lengths in new[] { [700], new[] { 90, 260, 40 } })
        {
            AttentionSample sample = Sample(set, form, 4, lengths);
            double[][] many = sample.Run(type), one;
            using (Workers.Limit(1))
            {
                one = sample.Run(type);
            }

            for (int i = 0; i < many.Length; i++)
            {
                Assert.Equal(Bits(one[i]), Bits(many[i]));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void WhatABlockHeldBeforeDoesntMatter(InstructionSet set, DType type, string form)
    {
        AttentionSample sample = Sample(set, form, 5, 70, 5), broken = Sample(set, form, 5, 96, 32);
        Array.Fill(broken.K, double.NaN);
        Array.Fill(broken.V, double.NaN);
        using KeyValueCache cache = Cache(broken, set, type, 32);
        Assert.All(broken.ForwardInSlices(type, cache, 96), y => Assert.Equal(double.NaN, y));
        Assert.Equal(Bits(sample.Forward(type)), Bits(sample.ForwardInSlices(type, cache, 7)));
    }

    private static AttentionSample Sample(InstructionSet set, string form, int seed, params int[] lengths)
    {
        AttentionOptions options = new()
        {
            Kernels = KernelSet.For(set),
            Window = form == "window" ? 41 : null,
            SoftCap = form == "capped with sinks" ? 4 : null,
        };
        return new AttentionSample(seed, 6, 2, 33, options, form == "capped with sinks", lengths);
    }

    private static KeyValueCache Cache(AttentionSample sample, InstructionSet set, DType type, int blockPositions)
    {
        KeyValueCacheSize one = new(1, 1, 2, 33, type, blockPositions);
        int blocks = sample.Lengths.Sum(one.BlocksFor);
        return new KeyValueCache(new KeyValueCacheSize(1, blocks, 2, 33, type, blockPositions), KernelSet.For(set));
    }

    private static long[] Bits(double[] values) => Array.ConvertAll(values, BitConverter.DoubleToInt64Bits);
}
