using Iced.Intel;

namespace Tessera.Tensors.Kernels;

/// <summary>Holds the instructions of one vector width, so that one generator writes the tiles of every set.</summary>
internal sealed record VectorCode
{
    public static VectorCode Avx2 { get; } = new()
    {
        Bytes = 32,
        Registers = 16,
        First = Register.YMM0,
        Load = Code.VEX_Vmovups_ymm_ymmm256,
        Store = Code.VEX_Vmovups_ymmm256_ymm,
        Broadcast = Code.VEX_Vbroadcastss_ymm_m32,
        Clear = Code.VEX_Vxorps_ymm_ymm_ymmm256,
        Add = Code.VEX_Vaddps_ymm_ymm_ymmm256,
        MultiplyAdd = Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256,
    };

    public static VectorCode Avx512 { get; } = new()
    {
        Bytes = 64,
        Registers = 32,
        First = Register.ZMM0,
        Load = Code.EVEX_Vmovups_zmm_k1z_zmmm512,
        Store = Code.EVEX_Vmovups_zmmm512_k1z_zmm,
        Broadcast = Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32,
        Clear = Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32,
        Add = Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er,
        MultiplyAdd = Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er,
    };

    public required int Bytes { get; init; }

    public required int Registers { get; init; }

    public required Register First { get; init; }

    public required Code Load { get; init; }

    public required Code Store { get; init; }

    public required Code Broadcast { get; init; }

    public required Code Clear { get; init; }

    public required Code Add { get; init; }

    public required Code MultiplyAdd { get; init; }

    public int Lanes => Bytes / 4;
}
