using static TorchSharp.torch;

namespace Tessera.Bench.Torch;

/// <summary>PyTorch's matrix product into a new tensor, as its users write it.</summary>
internal sealed class TorchMatmul
{
    private readonly Tensor _a;
    private readonly Tensor _b;

    public TorchMatmul(ScalarType type, string form, int size)
    {
        TorchThreads.Set();
        _a = Random(form == "AtB", size, type);
        _b = Random(form == "ABt", size, type);
    }

    public void Run()
    {
        using Tensor product = _a.mm(_b);
    }

    private static Tensor Random(bool transposed, int size, ScalarType type) =>
        transposed ? Random(false, size, type).t() : (rand(size, size) - 0.5f).to(type);
}
