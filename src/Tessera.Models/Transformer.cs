using Tessera.Models.Layers;
using Tessera.Tensors;

namespace Tessera.Models;

/// <summary>
/// The decoder: token ids in, the next token's logits out. There is one definition of it, for training and for serving:
/// packed documents, slices of prompts and single decode tokens are rows of one ragged batch.
/// </summary>
public sealed class Transformer
{
    private readonly DecoderLayer[] _layers;
    private readonly Normalization _finalNorm;
    private readonly Parameter _embedding;
    private readonly Parameter? _positions;
    private readonly Parameter _head;

    /// <summary>Makes the model over its parameters.</summary>
    public Transformer(TransformerConfig config, ParameterSet parameters)
    {
        Config = config.Validate();
        Parameters = parameters;
        Rotary? rotary = config.Rotary is { } r ? new Rotary(r.Theta, r.Dimensions, config.ContextLength) : null;
        _layers = new DecoderLayer[config.Layers];
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i] = new DecoderLayer(config, parameters, rotary, i);
        }

        _finalNorm = new(config, parameters[ParameterKind.FinalNorm], parameters.Find(ParameterKind.FinalNormBias));
        _embedding = parameters[ParameterKind.TokenEmbedding];
        _positions = parameters.Find(ParameterKind.PositionEmbedding);
        _head = parameters.Find(ParameterKind.Head) ?? _embedding;
        ComputeType = _embedding.Value.DType == DType.F64 ? DType.F64 : DType.F32;
    }

    /// <summary>Gets the sizes and choices.</summary>
    public TransformerConfig Config { get; }

    /// <summary>Gets the learned tensors.</summary>
    public ParameterSet Parameters { get; }

    /// <summary>Gets or sets what matrix products are computed in: F32, or BF16 with sums in F32.</summary>
    public DType ComputeType
    {
        get;
        set
        {
            field = value;
            foreach (Parameter parameter in Parameters.All)
            {
                parameter.ComputeType = value;
            }
        }
    }

    /// <summary>
    /// Makes a model of random weights: N(0, 0.02), the projections onto the residual stream divided by √(2 · layers),
    /// as GPT-2's.
    /// </summary>
    public static Transformer Random(TransformerConfig config, int seed) =>
        new(config, new ParameterSet(config, new Initialization(config, seed).Values));

    /// <summary>
    /// Makes room for the keys and values of <paramref name="blocks"/> blocks of positions in each layer.
    /// </summary>
    public KeyValueCache CreateCache(int blocks) =>
        new(new KeyValueCacheSize(Config.Layers, blocks, Config.KeyHeads, Config.HeadSize, ComputeType));

    /// <summary>Runs the layers on a ragged batch.</summary>
    /// <param name="ids">The token of each row.</param>
    /// <param name="segments">Which rows belong to which sequence, at which positions, after which past.</param>
    /// <param name="cache">Past keys and values, which the rows' own are appended to; null where there is no
    /// past.</param>
    /// <param name="dropout">What is dropped while training; null: nothing.</param>
    /// <returns>The normed rows (N, C) that the head reads.</returns>
    public Tensor Forward(
        ReadOnlySpan<int> ids, Segments segments, KeyValueCache? cache = null, Dropout? dropout = null)
    {
        if (segments.Rows != ids.Length)
        {
            throw new ArgumentException(
                $"Transformer: {ids.Length} tokens for {segments.Rows} rows of {segments.Count} segments");
        }

        dropout ??= Dropout.None;
        Tensor x = Ops.Embedding(_embedding, ids); // (N, C)
        if (_positions is not null)
        {
            x = Ops.Add(x, Ops.Embedding(_positions, segments.Positions));
        }

        x = dropout.Apply(x);
        foreach (DecoderLayer layer in _layers)
        {
            x = layer.Forward(x, segments, cache, ComputeType, dropout);
        }

        return _finalNorm.Forward(x, ComputeType);
    }

    /// <summary>Returns the logits (N, V), in F32, of the rows that <see cref="Forward"/> returned.</summary>
    public Tensor Logits(Tensor hidden) =>
        Ops.Linear(hidden, _head, type: hidden.DType == DType.F64 ? DType.F64 : DType.F32);

    /// <summary>
    /// Returns the logits (rows, V) of some rows only: the last one of each sequence, when the next token is wanted.
    /// </summary>
    public Tensor Logits(Tensor hidden, ReadOnlySpan<int> rows) => Logits(Ops.GatherRows(hidden, rows));

    /// <summary>Computes the weighted cross-entropy of a batch without ever holding all its logits.</summary>
    /// <param name="ids">The token of each row.</param>
    /// <param name="segments">Which rows belong to which sequence.</param>
    /// <param name="labels">The token that each row should predict, or <see cref="LossOptions.Masked"/>.</param>
    /// <param name="weights">A weight for each row; empty: 1 each.</param>
    /// <param name="scale">What the weighted sum is multiplied by; <see cref="Ops.MeanScale"/> for the mean.</param>
    /// <param name="options">Smoothing, z-loss, entropies.</param>
    /// <param name="dropout">What is dropped while training.</param>
    public TokenLosses Loss(
        ReadOnlySpan<int> ids,
        Segments segments,
        ReadOnlySpan<int> labels,
        ReadOnlySpan<float> weights,
        double scale,
        LossOptions? options = null,
        Dropout? dropout = null) =>
        Ops.LinearCrossEntropy(Forward(ids, segments, null, dropout), _head, labels, weights, scale, options);
}
