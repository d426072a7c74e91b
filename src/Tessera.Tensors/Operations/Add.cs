using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>Add: y = a + b.</content>
public static unsafe partial class Ops
{
    /// <summary>Adds two tensors of one shape and type (F32 or F64).</summary>
    /// <exception cref="ArgumentException">The shapes or types differ.</exception>
    public static Tensor Add(Tensor a, Tensor b)
    {
        if (a.Shape != b.Shape || a.DType != b.DType)
        {
            throw new ArgumentException($"Add: {a} and {b}");
        }

        Tensor y = Tensor.Create(a.Shape, a.DType);
        Sum(a, b, y);
        Tape.Record<AddNode>(y, a.Tracked || b.Tracked)?.Set(a, b);
        return y;
    }

    /// <summary>Hands a result's gradient on to an input that went into it by plain addition.</summary>
    private static void PassGradient(Tensor from, Tensor to, bool keep = false)
    {
        if (to.Gradient is { } already)
        {
            Sum(already, from.Gradient!, already);
        }
        else if (keep)
        {
            Conversion.Copy(from.Gradient!.View(to.Shape), to.GradientToWrite(out _));
        }
        else
        {
            // Nobody else reads it, so the memory itself moves on.
            GiveGradient(from.DetachGradient()!, to);
        }
    }

    /// <summary>
    /// Hands a finished gradient, which nobody else reads, to an input. What made the input reads its gradient in the
    /// type that it has asked for.
    /// </summary>
    private static void GiveGradient(Tensor gradient, Tensor to)
    {
        if (to.Gradient is null && to.GradientType == gradient.DType)
        {
            to.AdoptGradient(gradient);
            return;
        }

        Tensor sum = to.GradientToWrite(out bool accumulate);
        if (accumulate && sum.DType == gradient.DType)
        {
            Sum(sum, gradient, sum);
            return;
        }

        if (accumulate)
        {
            Tensor before = Tensor.Create(gradient.Shape, gradient.DType);
            Conversion.Copy(sum, before);
            Sum(before, gradient, gradient);
            before.Recycle();
        }

        Conversion.Copy(gradient, sum);
    }

    private static void Sum(Tensor a, Tensor b, Tensor y)
    {
        if (y.DType == DType.F64)
        {
            Span<double> to = y.Span<double>(), left = a.Span<double>(), right = b.Span<double>();
            for (int i = 0; i < to.Length; i++)
            {
                to[i] = left[i] + right[i];
            }

            return;
        }

        if (y.DType != DType.F32)
        {
            throw Unsupported("Add", a, b);
        }

        SumKernel body = new() { Elements = new ElementPartition(y.Shape.Count), A = a.Data, B = b.Data, Y = y.Data };
        Workers.Run(body.Elements.Items, ref body);
    }

    private struct SumKernel : IParallelBody
    {
        public ElementPartition Elements;
        public void* A;
        public void* B;
        public void* Y;

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (long i, long end) = Elements.Item(index);
            for (; i < end; i += IElement.Lanes)
            {
                Vector512<float> sum = Lanes.Load<Single32>(A, i, end) + Lanes.Load<Single32>(B, i, end);
                Lanes.Store<Single32>(Y, i, end, sum);
            }
        }
    }

    private sealed class AddNode : TapeNode
    {
        private Tensor _a = null!;
        private Tensor _b = null!;

        public void Set(Tensor a, Tensor b) => (_a, _b) = (a, b);

        public override void Backward()
        {
            if (_a.Tracked)
            {
                PassGradient(Output, _a, keep: _b.Tracked);
            }

            if (_b.Tracked)
            {
                PassGradient(Output, _b);
            }
        }

        public override void Return()
        {
            (_a, _b) = (null!, null!);
            Give(this);
        }
    }
}
