using Tessera.Models;
using Tessera.Tensors;

namespace Tessera.Inference;

/// <summary>Is the decoder as the engine sees it, with the cache that belongs to it.</summary>
internal sealed class TransformerModel(Transformer transformer) : ILanguageModel
{
    private KeyValueCache? _cache;
    private int[] _lastRows = [];

    public int VocabularySize => transformer.Config.VocabularySize;

    public int ContextLength => transformer.Config.ContextLength;

    public int BlockPositions => KeyValueCacheSize.PanelPositions;

    public void ReserveCache(int blocks) => _cache = transformer.CreateCache(blocks);

    public Tensor Forward(ReadOnlySpan<int> tokens, Segments segments)
    {
        if (_lastRows.Length < segments.Count)
        {
            _lastRows = new int[segments.Count];
        }

        for (int i = 0; i < segments.Count; i++)
        {
            _lastRows[i] = segments.Start(i) + segments.Length(i) - 1;
        }

        Tensor hidden = transformer.Forward(tokens, segments, _cache); // (N, C)
        return transformer.Logits(hidden, _lastRows.AsSpan(0, segments.Count)); // (segments, V)
    }

    public void Dispose() => _cache?.Dispose();
}
