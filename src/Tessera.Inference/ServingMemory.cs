using Tessera.Models;
using Tessera.Tensors;
using Tessera.Tensors.Memory;

namespace Tessera.Inference;

/// <summary>
/// States what memory a model takes while it answers, before it takes any; all in bytes. Weights that stay in a mapped
/// file are not counted: the system gives their pages up when others need them.
/// </summary>
/// <param name="Weights">The matrices, packed as the kernels read them.</param>
/// <param name="Cache">The keys and values of all answers, and the tables of positions.</param>
/// <param name="Activations">What the largest step leaves behind on its way.</param>
public sealed record ServingMemory(double Weights, double Cache, double Activations)
{
    /// <summary>Gets the sum.</summary>
    public double Bytes => Weights + Cache + Activations;

    /// <summary>Returns what a model takes.</summary>
    /// <param name="config">The model.</param>
    /// <param name="type">What products are computed in: F32 or BF16.</param>
    /// <param name="options">How much is done at once.</param>
    public static ServingMemory Of(TransformerConfig config, DType type, EngineOptions options)
    {
        TransformerMemory model = new(config);
        int context = options.ContextFor(config.ContextLength);
        double positions = options.PositionsFor(config.ContextLength);
        double entries = (double)config.Layers * config.KeyHeads * config.HeadSize * 2;
        int rows = Math.Min(options.PrefillChunk, context) + options.MaxConcurrent;
        return new ServingMemory(
            type.Size() * model.MultipliedParameters,
            (positions * entries * type.Size()) + (context * model.PositionBytes),
            (rows * model.RowBytes(type)) + (4.0 * options.MaxConcurrent * config.VocabularySize));
    }

    /// <summary>Throws where less is available, before anything is taken.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="available">The bytes that there are.</param>
    /// <exception cref="InsufficientMemoryException">
    /// It is less; the message has both figures and says what to lower.
    /// </exception>
    public void Require(string name, long available) => AvailableMemory.Require(
        $"{name} (weights {AvailableMemory.InWords(Weights)}, cache {AvailableMemory.InWords(Cache)}, "
        + $"activations {AvailableMemory.InWords(Activations)})",
        Bytes,
        available,
        Bytes - Cache <= available ? "lower the context (--context)" : "take a smaller model");
}
