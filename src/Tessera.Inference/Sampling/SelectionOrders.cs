using System.Runtime.CompilerServices;

namespace Tessera.Inference.Sampling;

/// <summary>Orders by logit downwards, each item weighing the same.</summary>
internal readonly ref struct RankCount(ReadOnlySpan<float> logits) : ISelectionItems
{
    private readonly ReadOnlySpan<float> _logits = logits;

    /// <summary>Returns the place of a logit in descending order; -0 and 0 are the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong KeyOf(float logit)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        uint ascending = bits ^ ((uint)((int)bits >> 31) | 0x80000000);
        return (ulong)~ascending << 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Key(int position) => KeyOf(_logits[position]);

    public double Weight(int position) => 1;
}

/// <summary>Orders by logit downwards, each item weighing its share of the probability.</summary>
internal readonly ref struct RankMass(ReadOnlySpan<float> logits, ReadOnlySpan<double> weights) : ISelectionItems
{
    private readonly ReadOnlySpan<float> _logits = logits;
    private readonly ReadOnlySpan<double> _weights = weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Key(int position) => RankCount.KeyOf(_logits[position]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Weight(int position) => _weights[position];
}

/// <summary>Orders by the distance between an item's surprise and the expected one.</summary>
internal readonly ref struct DistanceMass(ReadOnlySpan<double> distances, ReadOnlySpan<double> weights)
    : ISelectionItems
{
    private readonly ReadOnlySpan<double> _distances = distances;
    private readonly ReadOnlySpan<double> _weights = weights;

    // Distances aren't negative, so that their bits are in their order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Key(int position) => BitConverter.DoubleToUInt64Bits(_distances[position]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Weight(int position) => _weights[position];
}
