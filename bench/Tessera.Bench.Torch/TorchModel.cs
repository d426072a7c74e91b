using Tessera.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Tessera.Bench.Torch;

/// <summary>The Llama and GPT-2 forms of <see cref="StepShape"/> in PyTorch's operations.</summary>
internal sealed class TorchModel
{
    private readonly TransformerConfig _config;
    private readonly ScalarType _type;
    private readonly Embedding _embedding;
    private readonly Tensor? _positions;
    private readonly Block[] _blocks;
    private readonly TorchNorm _norm;
    private readonly Tensor? _cosine;
    private readonly Tensor? _sine;

    public TorchModel(StepShape shape, ScalarType type)
    {
        (_config, _type) = (shape.Config, type);
        _embedding = nn.Embedding(_config.VocabularySize, _config.Width);
        Parameters.Add(_embedding.weight!);
        _positions = _config.LearnedPositions ? Parameter(0.02, _config.ContextLength, _config.Width) : null;
        _blocks = [.. Enumerable.Range(0, _config.Layers).Select(_ => new Block(this))];
        _norm = new TorchNorm(this);
        if (_config.Rotary is { } rotary)
        {
            int half = _config.HeadSize / 2;
            Tensor frequencies = pow(rotary.Theta, arange(half).to(ScalarType.Float32) / -half);
            Tensor angles = outer(arange(shape.Time).to(ScalarType.Float32), frequencies);
            (_cosine, _sine) = (angles.cos().to(type), angles.sin().to(type));
        }
    }

    /// <summary>Gets every parameter, float32.</summary>
    public List<Tensor> Parameters { get; } = [];

    /// <summary>Returns the logits (B·T × V, in the type of computation) of ids (B × T).</summary>
    public Tensor Forward(Tensor ids)
    {
        Tensor x = _embedding.forward(ids);
        if (_positions is not null)
        {
            x += _positions[TensorIndex.Slice(0, ids.shape[1])];
        }

        foreach (Block block in _blocks)
        {
            x = block.Forward(x);
        }

        return linear(Cast(_norm.Forward(x)), Cast(_embedding.weight!)).reshape(-1, _config.VocabularySize);
    }

    private Tensor Cast(Tensor x) => x.to(_type);

    private Tensor Parameter(double deviation, params long[] shape)
    {
        Tensor parameter = randn(shape) * deviation;
        Parameters.Add(parameter.detach().requires_grad_());
        return Parameters[^1];
    }

    private Tensor Constant(double value, long size)
    {
        Parameters.Add(full(size, value).requires_grad_());
        return Parameters[^1];
    }

    /// <summary>RMSNorm or LayerNorm, in float32 as autocast leaves them.</summary>
    private sealed class TorchNorm(TorchModel model)
    {
        private readonly Tensor _weight = model.Constant(1, model._config.Width);
        private readonly Tensor? _bias =
            model._config.Norm == Norm.Layer ? model.Constant(0, model._config.Width) : null;

        public Tensor Forward(Tensor x) => _bias is null
            ? x * (x.square().mean([-1], keepdim: true) + model._config.NormEpsilon).rsqrt() * _weight
            : layer_norm(x, [model._config.Width], _weight, _bias, model._config.NormEpsilon);
    }

    private sealed class Projection(TorchModel model, int outputs, int inputs, bool biased)
    {
        private readonly Tensor _weight = model.Parameter(0.02, outputs, inputs);
        private readonly Tensor? _bias = biased ? model.Constant(0, outputs) : null;

        public Tensor Forward(Tensor x) => linear(x, model.Cast(_weight), _bias is null ? null! : model.Cast(_bias));
    }

    private sealed class Block
    {
        private readonly TorchModel _model;
        private readonly TorchNorm _attentionNorm;
        private readonly TorchNorm _feedForwardNorm;
        private readonly Projection _queriesKeysValues;
        private readonly Projection _attentionOutput;
        private readonly Projection _up; // gate and up in one where gated
        private readonly Projection _down;

        public Block(TorchModel model)
        {
            TransformerConfig config = model._config;
            (int width, int hidden) = (config.Width, config.FeedForwardWidth);
            _model = model;
            _attentionNorm = new TorchNorm(model);
            _queriesKeysValues = new Projection(model, 3 * width, width, config.AttentionBiases);
            _attentionOutput = new Projection(model, width, width, config.AttentionBiases);
            _feedForwardNorm = new TorchNorm(model);
            bool gated = config.Activation == Activation.SwiGlu;
            _up = new Projection(model, gated ? 2 * hidden : hidden, width, config.FeedForwardBiases);
            _down = new Projection(model, width, hidden, config.FeedForwardBiases);
        }

        public Tensor Forward(Tensor x)
        {
            x += Attend(_model.Cast(_attentionNorm.Forward(x)));
            Tensor up = _up.Forward(_model.Cast(_feedForwardNorm.Forward(x)));
            if (_model._config.Activation == Activation.SwiGlu)
            {
                Tensor[] parts = up.chunk(2, -1);
                return x + _down.Forward(silu(parts[0]) * parts[1]);
            }

            return x + _down.Forward(gelu(up, GELU.Approximate.tanh));
        }

        private Tensor Attend(Tensor x)
        {
            (long batch, long time) = (x.shape[0], x.shape[1]);
            Tensor[] parts = _queriesKeysValues.Forward(x).chunk(3, -1);
            Tensor values = scaled_dot_product_attention(
                Rotate(Heads(parts[0])), Rotate(Heads(parts[1])), Heads(parts[2]), is_casual: true);
            return _attentionOutput.Forward(values.transpose(1, 2).reshape(batch, time, -1));

            Tensor Heads(Tensor part) => part.view(batch, time, _model._config.Heads, -1).transpose(1, 2);
        }

        private Tensor Rotate(Tensor x)
        {
            if (_model._cosine is null)
            {
                return x;
            }

            Tensor[] halves = x.chunk(2, -1);
            return cat(
                [
                    (halves[0] * _model._cosine) - (halves[1] * _model._sine!),
                    (halves[1] * _model._cosine) + (halves[0] * _model._sine!),
                ],
                -1);
        }
    }
}
