using Tessera.Tensors;

namespace Tessera.Inference;

/// <summary>Computes logits; the engine's tests put a scripted one in the model's place.</summary>
internal interface ILanguageModel : IDisposable
{
    /// <summary>Gets the number of logits in a row (V).</summary>
    int VocabularySize { get; }

    /// <summary>Gets how many positions a sequence may have.</summary>
    int ContextLength { get; }

    /// <summary>Gets how many positions a block of the cache holds.</summary>
    int BlockPositions { get; }

    /// <summary>Reserves the cache of keys and values that <see cref="Forward"/> reads and writes.</summary>
    /// <exception cref="InsufficientMemoryException">The system has not got the memory.</exception>
    void ReserveCache(int blocks);

    /// <summary>Returns the logits of each segment's last row, (segments, V), in the innermost scope.</summary>
    Tensor Forward(ReadOnlySpan<int> tokens, Segments segments);
}
