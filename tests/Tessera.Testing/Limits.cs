namespace Tessera.Testing;

/// <summary>
/// Holds the limits that the tests apply to reference files: one member for each line of goldens/README.md that gives
/// one. The measurement behind each number stands there.
/// </summary>
public static class Limits
{
    /// <summary>training/ops: float64, of the tensor's largest entry.</summary>
    public const double OpsDouble = 1e-10;

    /// <summary>training/ops: float32 values, of the tensor's largest entry.</summary>
    public const double OpsSingle = 1e-5;

    /// <summary>training/ops: float32 gradients, of the tensor's largest entry.</summary>
    public const double OpsSingleGradient = 1e-4;

    /// <summary>training: loss in float32, absolute.</summary>
    public const double TrainingLoss = 2e-6;

    /// <summary>training: gradients in float32, of the largest entry.</summary>
    public const double TrainingGradient = 1e-5;

    /// <summary>training: losses of a trajectory in float32, absolute.</summary>
    public const double TrajectoryLoss = 1e-5;

    /// <summary>training: losses of the muon_torch trajectories, whose reference works in bf16 inside.</summary>
    public const double TrajectoryLossMuonTorch = 2e-3;

    /// <summary>training: losses of a trajectory computed in bf16.</summary>
    public const double TrajectoryLossBFloat16 = 0.05;

    /// <summary>training: final weights, times the file's own <c>final_weight_max_error_fp32</c>.</summary>
    public const double FinalWeightsFactor = 5;

    /// <summary>hf-folders: logits, of the largest.</summary>
    public const double FolderLogits = 1e-4;

    /// <summary>hf-folders: gradients, of each tensor's largest.</summary>
    public const double FolderGradients = 1e-4;

    /// <summary>sampling: probabilities, relative.</summary>
    public const double SamplingProbability = 1e-5;

    /// <summary>metrics: relative, unless a section says otherwise.</summary>
    public const double Metrics = 1e-9;

    /// <summary>text: NMSE of the logits of float32 models without GELU.</summary>
    public const double TextLogits = 1e-9;

    /// <summary>text: NMSE of the logits of models with GELU, whose reference takes it from a binary16 table.</summary>
    public const double TextLogitsGelu = 1e-6;

    /// <summary>smollm2: NMSE of the logits in float32.</summary>
    public const double SmolLogits = 7e-11;

    /// <summary>smollm2: the largest error of a logit in float32, absolute.</summary>
    public const double SmolLargest = 5e-4;
}
