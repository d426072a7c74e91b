using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>Activations alone, y = f(x), and gating, y = f(gate) · up (arXiv 2002.05202).</content>
public static unsafe partial class Ops
{
    /// <summary>Applies <paramref name="activation"/> to each element; the result has x's shape and type.</summary>
    public static Tensor Activate(Tensor x, ActivationFunction activation) => Activate(x, null, activation);

    /// <summary>
    /// Multiplies the activation of each element of <paramref name="gate"/> by the element of <paramref name="up"/> at
    /// its place: SwiGLU with SiLU, GeGLU with GELU.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes or types differ.</exception>
    public static Tensor Gated(Tensor gate, Tensor up, ActivationFunction activation)
    {
        if (gate.Shape != up.Shape || gate.DType != up.DType)
        {
            throw new ArgumentException($"Gated: gate is {gate}, up is {up}");
        }

        return Activate(gate, up, activation);
    }

    /// <summary>The definition of both: without <paramref name="up"/> (empty), up is 1 everywhere.</summary>
    public static void ActivateReference<T>(
        ReadOnlySpan<T> gate, ReadOnlySpan<T> up, Span<T> y, ActivationFunction activation)
        where T : IFloatingPointIeee754<T>
    {
        for (int i = 0; i < gate.Length; i++)
        {
            T value = activation switch
            {
                ActivationFunction.GeluExact => GeluExactActivation.Value(gate[i]),
                ActivationFunction.GeluTanh => GeluTanhActivation.Value(gate[i]),
                ActivationFunction.GeluQuick => GeluQuickActivation.Value(gate[i]),
                ActivationFunction.Silu => SiluActivation.Value(gate[i]),
                _ => ReluSquaredActivation.Value(gate[i]),
            };
            y[i] = up.IsEmpty ? value : value * up[i];
        }
    }

    /// <summary>
    /// The gradient's definition; adds to <paramref name="dGate"/> and, with an up, to <paramref name="dUp"/>.
    /// </summary>
    public static void ActivateReferenceGradient<T>(
        ReadOnlySpan<T> gate, ReadOnlySpan<T> up, ReadOnlySpan<T> dy, Span<T> dGate, Span<T> dUp,
        ActivationFunction activation)
        where T : IFloatingPointIeee754<T>
    {
        for (int i = 0; i < gate.Length; i++)
        {
            (T value, T slope) = activation switch
            {
                ActivationFunction.GeluExact =>
                    (GeluExactActivation.Value(gate[i]), GeluExactActivation.Slope(gate[i])),
                ActivationFunction.GeluTanh => (GeluTanhActivation.Value(gate[i]), GeluTanhActivation.Slope(gate[i])),
                ActivationFunction.GeluQuick =>
                    (GeluQuickActivation.Value(gate[i]), GeluQuickActivation.Slope(gate[i])),
                ActivationFunction.Silu => (SiluActivation.Value(gate[i]), SiluActivation.Slope(gate[i])),
                _ => (ReluSquaredActivation.Value(gate[i]), ReluSquaredActivation.Slope(gate[i])),
            };
            dGate[i] += dy[i] * slope * (up.IsEmpty ? T.One : up[i]);
            if (!up.IsEmpty)
            {
                dUp[i] += dy[i] * value;
            }
        }
    }

    private static Tensor Activate(Tensor gate, Tensor? up, ActivationFunction activation)
    {
        Tensor y = Tensor.Create(gate.Shape, gate.DType);
        switch (gate.DType)
        {
            case DType.F64:
                ActivateReference<double>(
                    gate.Span<double>(), up is null ? default : up.Span<double>(), y.Span<double>(), activation);
                break;
            case DType.F32: ActivateForward<Single32>(gate, up, y, activation); break;
            case DType.BF16: ActivateForward<Brain16>(gate, up, y, activation); break;
            default: throw Unsupported("Activate", gate, y);
        }

        Tape.Record<ActivateNode>(y, gate.Tracked || up is { Tracked: true })?.Set(gate, up, activation);
        return y;
    }

    private static void ActivateForward<TX>(Tensor gate, Tensor? up, Tensor y, ActivationFunction activation)
        where TX : struct, IElement
    {
        switch (activation)
        {
            case ActivationFunction.GeluExact: ActivateKernel<GeluExactActivation, TX>.Forward(gate, up, y); break;
            case ActivationFunction.GeluTanh: ActivateKernel<GeluTanhActivation, TX>.Forward(gate, up, y); break;
            case ActivationFunction.GeluQuick: ActivateKernel<GeluQuickActivation, TX>.Forward(gate, up, y); break;
            case ActivationFunction.Silu: ActivateKernel<SiluActivation, TX>.Forward(gate, up, y); break;
            default: ActivateKernel<ReluSquaredActivation, TX>.Forward(gate, up, y); break;
        }
    }

    private static void ActivateBackward<TX>(Tensor gate, Tensor? up, Tensor dy, ActivationFunction activation)
        where TX : struct, IElement
    {
        switch (activation)
        {
            case ActivationFunction.GeluExact: ActivateKernel<GeluExactActivation, TX>.Backward(gate, up, dy); break;
            case ActivationFunction.GeluTanh: ActivateKernel<GeluTanhActivation, TX>.Backward(gate, up, dy); break;
            case ActivationFunction.GeluQuick: ActivateKernel<GeluQuickActivation, TX>.Backward(gate, up, dy); break;
            case ActivationFunction.Silu: ActivateKernel<SiluActivation, TX>.Backward(gate, up, dy); break;
            default: ActivateKernel<ReluSquaredActivation, TX>.Backward(gate, up, dy); break;
        }
    }

    private struct ActivateKernel<TA, TX> : IParallelBody
        where TA : struct, IActivation
        where TX : struct, IElement
    {
        private ElementPartition _elements;
        private void* _gate;
        private void* _up;
        private void* _y;
        private void* _dGate;
        private void* _dUp;
        private bool _addGate;
        private bool _addUp;
        private bool _brainGate; // whether the gradients are BF16
        private bool _brainUp;
        private bool _backward;

        public static void Forward(Tensor gate, Tensor? up, Tensor y)
        {
            ActivateKernel<TA, TX> body = Start(gate, up, y);
            Workers.Run(body._elements.Items, ref body);
        }

        public static void Backward(Tensor gate, Tensor? up, Tensor dy)
        {
            ActivateKernel<TA, TX> body = Start(gate, up, dy);
            body._backward = true;
            Tensor? dGate = gate.Tracked ? gate.GradientToWrite(out body._addGate) : null;
            Tensor? dUp = up is { Tracked: true } ? up.GradientToWrite(out body._addUp) : null;
            body._dGate = dGate is null ? null : dGate.Data;
            body._dUp = dUp is null ? null : dUp.Data;
            (body._brainGate, body._brainUp) = (dGate is { DType: DType.BF16 }, dUp is { DType: DType.BF16 });
            Workers.Run(body._elements.Items, ref body);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (long first, long end) = _elements.Item(index);
            switch (_backward, _brainGate, _brainUp)
            {
                case (false, _, _): RunForward(first, end); break;
                case (true, false, false): RunBackward<Single32, Single32>(first, end); break;
                case (true, true, false): RunBackward<Brain16, Single32>(first, end); break;
                case (true, false, true): RunBackward<Single32, Brain16>(first, end); break;
                case (true, true, true): RunBackward<Brain16, Brain16>(first, end); break;
            }
        }

        [MethodImpl(Compiled.Alone)]
        private readonly void RunForward(long i, long end)
        {
            for (; i < end; i += IElement.Lanes)
            {
                Vector512<float> value = TA.Value(Lanes.Load<TX>(_gate, i, end));
                Lanes.Store<TX>(_y, i, end, _up is null ? value : value * Lanes.Load<TX>(_up, i, end));
            }
        }

        [MethodImpl(Compiled.Alone)]
        private readonly void RunBackward<TGate, TUp>(long i, long end)
            where TGate : struct, IElement
            where TUp : struct, IElement
        {
            for (; i < end; i += IElement.Lanes)
            {
                Vector512<float> up = _up is null ? Vector512<float>.One : Lanes.Load<TX>(_up, i, end);
                Vector512<float> dy = Lanes.Load<TX>(_y, i, end);
                (Vector512<float> value, Vector512<float> slope) = TA.ValueAndSlope(Lanes.Load<TX>(_gate, i, end));
                if (_dGate is not null)
                {
                    Lanes.Put<TGate>(_dGate, i, end, dy * up * slope, _addGate);
                }

                if (_dUp is not null)
                {
                    Lanes.Put<TUp>(_dUp, i, end, dy * value, _addUp);
                }
            }
        }

        private static ActivateKernel<TA, TX> Start(Tensor gate, Tensor? up, Tensor y) => new()
        {
            _elements = new ElementPartition(gate.Shape.Count),
            _gate = gate.Data,
            _up = up is null ? null : up.Data,
            _y = y.Data,
        };
    }

    private sealed class ActivateNode : TapeNode
    {
        private Tensor _gate = null!;
        private Tensor? _up;
        private ActivationFunction _activation;

        public void Set(Tensor gate, Tensor? up, ActivationFunction activation) =>
            (_gate, _up, _activation) = (gate, up, activation);

        public override void Backward()
        {
            Tensor dy = Output.Gradient!;
            switch (_gate.DType)
            {
                case DType.F64:
                    ActivateReferenceGradient<double>(
                        _gate.Span<double>(), _up is null ? default : _up.Span<double>(), dy.Span<double>(),
                        GradientSum(_gate), _up is null ? default : GradientSum(_up), _activation);
                    break;
                case DType.F32: ActivateBackward<Single32>(_gate, _up, dy, _activation); break;
                default: ActivateBackward<Brain16>(_gate, _up, dy, _activation); break;
            }
        }

        public override void Return()
        {
            (_gate, _up) = (null!, null);
            Give(this);
        }
    }
}
