using static TorchSharp.torch;

namespace Tessera.Bench.Torch;

/// <summary>What both kinds of PyTorch's work set first.</summary>
internal static class TorchThreads
{
    public static void Set()
    {
        set_num_threads(Child.Threads);
        set_num_interop_threads(1);
        random.manual_seed(1);
    }

    public static ScalarType Type(string type) => type == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32;
}
