using Tessera.Models.Layers;
using Tessera.Tensors;
using Xunit;

namespace Tessera.Models.Tests;

public sealed class DropoutTests
{
    // Of 4,096 choices at one half two unrelated steps agree in 2,048, give or take 32; 192 is six times that. Without
    // mixing, a neighbouring seed made the same choices with each two elements exchanged.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void NeighbouringStepsMakeUnrelatedChoices(int exchanged)
    {
        const int count = 4096;
        Dropout dropout = new(0.5);
        for (ulong seed = 0; seed < 8; seed++)
        {
            float[] one = Choices(seed), next = Choices(seed + 1);
            int agree = Enumerable.Range(0, count).Count(i => one[i] == next[i ^ exchanged]);
            Assert.InRange(agree, (count / 2) - 192, (count / 2) + 192);
        }

        float[] Choices(ulong seed)
        {
            using TensorScope scope = TensorScope.Begin();
            dropout.Begin(seed);
            float[] ones = new float[count];
            Array.Fill(ones, 1);
            return dropout.Apply(Tensor.From<float>(new Shape(1, count), ones)).ToArray<float>();
        }
    }
}
