using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>Linear: y = x · Wᵀ + b, optionally onto a residual stream: y = residual + x · Wᵀ + b.</content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Multiplies rows of <paramref name="x"/> (…, I) by a weight (O, I), or (I, O) where it is stored input-major.
    /// </summary>
    /// <param name="x">In the weight's compute type: F32, BF16 or F64.</param>
    /// <param name="weight">The matrix.</param>
    /// <param name="bias">Added to each row (O), or null.</param>
    /// <param name="residual">Added to the result (rows, O), F32 (F64), or null.</param>
    /// <param name="type">The result's type; by default F32 onto a residual, else x's.</param>
    /// <returns>A tensor of x's leading dimensions and O columns.</returns>
    /// <exception cref="ArgumentException">The inner sizes differ.</exception>
    public static Tensor Linear(
        Tensor x, Parameter weight, Parameter? bias = null, Tensor? residual = null, DType? type = null)
    {
        (int O, int I) = OutputAndInput(weight);
        DType stream = x.DType == DType.F64 ? DType.F64 : DType.F32, result = type ?? residual?.DType ?? x.DType;
        if (x.Shape.Columns != I || (bias is not null && bias.Shape.Count != O)
            || (residual is not null && residual.Shape.Columns != O)
            || (residual is not null && residual.Shape.Rows != x.Shape.Rows))
        {
            throw new ArgumentException(
                $"Linear: {x} by {weight.Name} {weight.Shape}, bias {bias?.Shape}, residual {residual?.Shape}");
        }

        if (residual is not null && (residual.DType != stream || result != stream))
        {
            throw new ArgumentException(
                $"Linear: {x} onto a residual in {residual.DType} gives {stream}, and {result} is asked for");
        }

        Tensor y = Tensor.Create(WithColumns(x.Shape, O), result);
        if (x.DType == DType.F64)
        {
            LinearReference<double>(
                x.Span<double>(), weight.Value.Span<double>(), bias is null ? default : bias.Value.Span<double>(),
                residual is null ? default : residual.Span<double>(), y.Span<double>(), I, O, weight.InputMajor);
        }
        else
        {
            if (residual is not null)
            {
                Buffer.MemoryCopy(residual.Data, y.Data, y.Shape.Count * 4, y.Shape.Count * 4);
            }

            Matmul.Multiply(Rows(x), weight.ForwardPanels(), Rows(y), new MatmulOptions
            {
                Accumulate = residual is not null,
                Bias = bias is null ? null : bias.Floats,
            });
        }

        bool tracked = x.Tracked || !weight.Frozen || bias is { Frozen: false } || residual is { Tracked: true };
        Tape.Record<LinearNode>(y, tracked)?.Set(x, weight, bias, residual);
        return y;
    }

    /// <summary>The definition.</summary>
    public static void LinearReference<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, ReadOnlySpan<T> residual, Span<T> y,
        int inputs, int outputs, bool inputMajor)
        where T : IFloatingPointIeee754<T>
    {
        int N = inputs == 0 ? y.Length / Math.Max(outputs, 1) : x.Length / inputs;
        for (int n = 0; n < N; n++)
        {
            for (int o = 0; o < outputs; o++)
            {
                T sum = T.Zero;
                for (int i = 0; i < inputs; i++)
                {
                    sum += x[(n * inputs) + i] * weight[inputMajor ? (i * outputs) + o : (o * inputs) + i];
                }

                int at = (n * outputs) + o;
                y[at] = sum + (bias.IsEmpty ? T.Zero : bias[o]) + (residual.IsEmpty ? T.Zero : residual[at]);
            }
        }
    }

    /// <summary>The gradient's definition; adds to each of the three. The residual's gradient is dy itself.</summary>
    public static void LinearReferenceGradient<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> dy, Span<T> dx, Span<T> dWeight, Span<T> dBias,
        int inputs, int outputs, bool inputMajor)
        where T : IFloatingPointIeee754<T>
    {
        for (int n = 0; n < dy.Length / Math.Max(outputs, 1); n++)
        {
            for (int o = 0; o < outputs; o++)
            {
                T d = dy[(n * outputs) + o];
                for (int i = 0; i < inputs; i++)
                {
                    int w = inputMajor ? (i * outputs) + o : (o * inputs) + i;
                    dx[(n * inputs) + i] += d * weight[w];
                    dWeight[w] += d * x[(n * inputs) + i];
                }

                if (!dBias.IsEmpty)
                {
                    dBias[o] += d;
                }
            }
        }
    }

    internal static MatrixView Rows(Tensor x) => new(x.Data, x.DType, x.Shape.Rows, x.Shape.Columns, x.Shape.Columns);

    /// <summary>Adds dyᵀ · x to the gradient of a matrix (O, I), or xᵀ · dy for one stored input-major.</summary>
    private static void AddMatrixGradient(Parameter weight, MatrixView x, MatrixView dy)
    {
        MatrixView to = Rows(weight.GradientToWrite(out bool accumulate));
        MatmulOptions options = new() { Accumulate = accumulate, RoundToBFloat16 = weight.ComputeType == DType.BF16 };
        (MatrixView left, MatrixView right) = weight.InputMajor ? (x, dy) : (dy, x);
        Matmul.Multiply(left.Transpose(), right, to, options);
    }

    private static (int Outputs, int Inputs) OutputAndInput(Parameter weight)
    {
        (int first, int second) = weight.Shape;
        return weight.InputMajor ? (second, first) : (first, second);
    }

    private static Shape WithColumns(Shape shape, int columns) => shape.Rank switch
    {
        2 => new Shape(shape[0], columns),
        3 => new Shape(shape[0], shape[1], columns),
        4 => new Shape(shape[0], shape[1], shape[2], columns),
        _ => new Shape(columns),
    };

    /// <summary>Sums dy over its rows, partial sums by fixed parts of the rows.</summary>
    private struct BiasGradient<TDy> : IParallelBody
        where TDy : struct, IElement
    {
        private RowPartition _rows;
        private void* _dy;
        private float* _partials;
        private int _columns;

        public static void Go(Tensor dy, Parameter bias)
        {
            BiasGradient<TDy> body = new()
            {
                _rows = new RowPartition(dy.Shape.Rows, dy.Shape.Columns),
                _dy = dy.Data,
                _columns = dy.Shape.Columns,
            };
            Tensor partials = Tensor.Zeros(new Shape(body._rows.Items, body._columns), DType.F32);
            body._partials = (float*)partials.Data;
            Workers.Run(body._rows.Items, ref body);
            AddPartials(partials, bias);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (int first, int end) = _rows.Item(index);
            float* sums = _partials + ((long)index * _columns);
            for (long row = first; row < end; row++)
            {
                long start = row * _columns;
                for (long c = 0; c < _columns; c += IElement.Lanes)
                {
                    Vector512<float> dy = Lanes.Load<TDy>(_dy, start + c, start + _columns);
                    Lanes.Put<Single32>(sums, c, _columns, dy, accumulate: true);
                }
            }
        }
    }

    private sealed class LinearNode : TapeNode
    {
        private Tensor _x = null!;
        private Parameter _weight = null!;
        private Parameter? _bias;
        private Tensor? _residual;

        public void Set(Tensor x, Parameter weight, Parameter? bias, Tensor? residual) =>
            (_x, _weight, _bias, _residual) = (x, weight, bias, residual);

        public override void Backward()
        {
            Tensor dy = Output.Gradient!;
            if (dy.DType == DType.F64)
            {
                BackwardReference(dy);
            }
            else
            {
                bool brain = _weight.ComputeType == DType.BF16;
                if (_x.Tracked)
                {
                    MatrixView dx = Rows(_x.GradientToWrite(out bool accumulate));
                    Matmul.Multiply(
                        Rows(dy), _weight.BackwardPanels(), dx,
                        new() { Accumulate = accumulate, RoundToBFloat16 = brain });
                }

                if (!_weight.Frozen)
                {
                    AddMatrixGradient(_weight, Rows(_x), Rows(dy));
                }

                if (_bias is { Frozen: false } && dy.DType == DType.F32)
                {
                    BiasGradient<Single32>.Go(dy, _bias);
                }
                else if (_bias is { Frozen: false })
                {
                    BiasGradient<Brain16>.Go(dy, _bias);
                }
            }

            if (_residual is { Tracked: true })
            {
                PassGradient(Output, _residual);
            }
        }

        public override void Return()
        {
            (_x, _weight, _bias, _residual) = (null!, null!, null, null);
            Give(this);
        }

        private void BackwardReference(Tensor dy)
        {
            (int O, int I) = OutputAndInput(_weight);
            LinearReferenceGradient<double>(
                _x.Span<double>(), _weight.Value.Span<double>(), dy.Span<double>(), GradientSum(_x),
                GradientSum(_weight), _bias is null ? default : GradientSum(_bias), I, O, _weight.InputMajor);
        }
    }
}
