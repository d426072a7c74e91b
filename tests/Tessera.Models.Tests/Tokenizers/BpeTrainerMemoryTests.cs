using System.Text;
using Tessera.Models.Tokenizers;
using Xunit;

namespace Tessera.Models.Tests.Tokenizers;

// What the process holds is measured, so that nothing else may run beside it.
[CollectionDefinition(nameof(BpeTrainerMemoryTests), DisableParallelization = true)]
[Collection(nameof(BpeTrainerMemoryTests))]
public sealed class BpeTrainerMemoryTests
{
    // Short words that all differ are the most that a limit has to bear: 14 MB of them take 20 times that.
    [Fact]
    public void TheMemoryLimitIsKept()
    {
        const long limit = 32L << 20;
        long most = 0;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        BpeTrainerSettings settings = new() { VocabularySize = 400, Threads = 2, MemoryLimit = limit };
        BpeTraining training = new BpeTrainer(settings).Train(Documents());
        Assert.True(training.ForgottenWords > 0);
        Assert.InRange(most - before, 1, limit);

        IEnumerable<ReadOnlyMemory<byte>> Documents()
        {
            const int perDocument = 10_000;
            for (int i = 0; i < 200; i++)
            {
                StringBuilder text = new();
                for (int j = 0; j < perDocument; j++)
                {
                    text.Append(' ').Append((char)(0x4E00 + j)).Append((char)(0x4E00 + i));
                }

                yield return Encoding.UTF8.GetBytes(text.ToString());
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
            }
        }
    }
}
