using System.Runtime.CompilerServices;

namespace Tessera.Tensors;

/// <summary>Holds a bfloat16: sign, 8 bits of exponent and 7 of fraction, the upper half of a binary32.</summary>
/// <param name="Bits">The 16 bits.</param>
public readonly record struct BFloat16(ushort Bits)
{
    /// <summary>Rounds to the nearest bfloat16, ties to even; a NaN stays a (quiet) NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
        {
            return new BFloat16((ushort)((bits >> 16) | 0x40));
        }

        return new BFloat16((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>Widens exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.Bits << 16);
}
