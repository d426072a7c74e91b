namespace Tessera.Tensors.Kernels;

/// <summary>Says where the gradients of attention come from and go to.</summary>
internal readonly unsafe struct AttentionGradients
{
    /// <summary>Gets the upstream gradient (N, H, D).</summary>
    public Target Upstream { get; init; }

    /// <summary>Gets the gradient of the queries (N, H, D).</summary>
    public Target Queries { get; init; }

    /// <summary>Gets the gradient of the keys (N, K, D).</summary>
    public Target Keys { get; init; }

    /// <summary>Gets the gradient of the values (N, K, D).</summary>
    public Target Values { get; init; }

    /// <summary>Gets the gradient of the sinks (H), F32.</summary>
    public Target Sinks { get; init; }

    /// <summary>Gets where each run of rows leaves its part of the sinks' gradient (runs, H), or null.</summary>
    public float* SinkParts { get; init; }

    /// <summary>A tensor's memory; none where it isn't wanted.</summary>
    internal readonly struct Target(void* data, DType type, bool accumulate = false)
    {
        public Target(Tensor tensor, bool accumulate = false)
            : this(tensor.Data, tensor.DType, accumulate)
        {
        }

        /// <summary>Gets the first element, or null.</summary>
        public byte* Data { get; } = (byte*)data;

        /// <summary>Gets the type, F32 or BF16.</summary>
        public DType Type { get; } = type;

        /// <summary>Gets whether the values are added to what is there.</summary>
        public bool Accumulates { get; } = accumulate;
    }
}
