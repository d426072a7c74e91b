using System.Reflection;

namespace Tessera.Tensors.Quantization;

/// <summary>
/// Holds the constant tables of ggml's IQ1 to IQ3 types, which are part of the format: rows of eight or four values
/// that an index stands for.
/// </summary>
/// <remarks>
/// <c>grids.bin</c> has them one after another as ggml-common.h of ggml does (MIT; see THIRD-PARTY-NOTICES.md):
/// iq2xxs, iq2xs, iq2s, iq3xxs, iq3s, iq1s.
/// </remarks>
internal static class Grids
{
    private const string ResourceName = "Tessera.Tensors.Quantization.grids.bin";

    private static readonly byte[] _all = Read();

    /// <summary>Returns one of the 256 rows of eight of IQ2_XXS.</summary>
    public static ReadOnlySpan<byte> Iq2Xxs(int index) => _all.AsSpan(8 * index, 8);

    /// <summary>Returns one of the 512 rows of eight of IQ2_XS.</summary>
    public static ReadOnlySpan<byte> Iq2Xs(int index) => _all.AsSpan(2_048 + (8 * index), 8);

    /// <summary>Returns one of the 1,024 rows of eight of IQ2_S.</summary>
    public static ReadOnlySpan<byte> Iq2S(int index) => _all.AsSpan(6_144 + (8 * index), 8);

    /// <summary>Returns one of the 256 rows of four of IQ3_XXS.</summary>
    public static ReadOnlySpan<byte> Iq3Xxs(int index) => _all.AsSpan(14_336 + (4 * index), 4);

    /// <summary>Returns one of the 512 rows of four of IQ3_S.</summary>
    public static ReadOnlySpan<byte> Iq3S(int index) => _all.AsSpan(15_360 + (4 * index), 4);

    /// <summary>Returns one of the 2,048 rows of eight, signed, of IQ1_S and IQ1_M.</summary>
    public static ReadOnlySpan<byte> Iq1(int index) => _all.AsSpan(17_408 + (8 * index), 8);

    private static byte[] Read()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(ResourceName)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
