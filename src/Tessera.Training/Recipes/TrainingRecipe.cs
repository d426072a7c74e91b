using Tessera.Training.Optimizers;

namespace Tessera.Training.Recipes;

/// <summary>Says how long and by which steps a model is trained.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Gets the number of steps; or state <c>tokens</c> or <c>passes</c>.</summary>
    public long? Steps { get; init => field = Check.Within(value, 1L, int.MaxValue); }

    /// <summary>Gets the number of tokens, rounded up to whole steps.</summary>
    public long? Tokens { get; init => field = Check.Within(value, 1L, long.MaxValue); }

    /// <summary>Gets the number of passes over the data, rounded up to whole steps.</summary>
    public double? Passes { get; init => field = Check.Within(value, 1e-9, 1e9); }

    /// <summary>Gets the number of sequences in a micro-batch, B.</summary>
    public int Batch { get; init => field = Check.Within(value, 1, 1 << 20); } = 16;

    /// <summary>Gets the tokens of a sequence, T.</summary>
    public int Sequence { get; init => field = Check.Within(value, 2, 1 << 22); } = 256;

    /// <summary>Gets the number of micro-batches whose gradients make one step.</summary>
    public int Accumulation { get; init => field = Check.Within(value, 1, 1 << 16); } = 1;

    /// <summary>Gets the optimizer.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>Gets AdamW's highest learning rate.</summary>
    public double LearningRate { get; init => field = Check.Within(value, 0, 10); } = 2e-3;

    /// <summary>Gets Muon's highest learning rate for matrices.</summary>
    public double MatrixLearningRate { get; init => field = Check.Within(value, 0, 10); } = 0.02;

    /// <summary>Gets Muon's momentum.</summary>
    public double Momentum { get; init => field = Check.Within(value, 0, 1); } = 0.95;

    /// <summary>Gets the decay of AdamW's first moment.</summary>
    public double Beta1 { get; init => field = Check.Within(value, 0, 1); } = 0.9;

    /// <summary>Gets the decay of AdamW's second moment.</summary>
    public double Beta2 { get; init => field = Check.Within(value, 0, 1); } = 0.95;

    /// <summary>Gets what is added to the root of AdamW's second moment.</summary>
    public double Epsilon { get; init => field = Check.Within(value, 0, 1); } = 1e-8;

    /// <summary>Gets the decay of matrices and embeddings, times the learning rate, each step.</summary>
    public double WeightDecay { get; init => field = Check.Within(value, 0, 10); } = 0.1;

    /// <summary>Gets the steps in which the learning rate rises from nothing.</summary>
    public long Warmup { get; init => field = Check.Within(value, 0L, long.MaxValue); } = 100;

    /// <summary>Gets the course of the learning rate after that.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Gets the part of the steps, from 0 to 1, at the end of <c>wsd</c> in which the rate falls.</summary>
    public double Decay { get; init => field = Check.Within(value, 0, 1); } = 0.2;

    /// <summary>Gets the learning rate at the end as a share of the highest.</summary>
    public double FinalShare { get; init => field = Check.Within(value, 0, 1); } = 0.1;

    /// <summary>Gets the norm that gradients are clipped to; 0 for no clipping.</summary>
    public double Clip { get; init => field = Check.Within(value, 0, 1e9); } = 1;

    /// <summary>Gets the factor of the squared log of the softmax's sum (PaLM, 2204.02311, section 5).</summary>
    public double ZLoss { get; init => field = Check.Within(value, 0, 1); }

    /// <summary>Gets the share of activations that are dropped.</summary>
    public double Dropout { get; init => field = Check.Within(value, 0, 0.95); }

    /// <summary>Gets the arithmetic.</summary>
    public Precision Precision { get; init; } = Precision.Bf16;

    /// <summary>Gets what is done when the loss jumps.</summary>
    public SpikeAction Spikes { get; init; } = SpikeAction.Skip;

    /// <summary>Gets the tokens of one step.</summary>
    public long TokensAStep => (long)Batch * Sequence * Accumulation;

    /// <summary>Returns the number of steps.</summary>
    /// <param name="rows">The rows of the data once, which <c>passes</c> are counted in.</param>
    /// <exception cref="InvalidDataException">They are more than a stage can count.</exception>
    public long StepsFor(long rows)
    {
        double steps = Steps ?? Math.Ceiling((Tokens ?? Passes!.Value * rows) / TokensAStep);
        return steps <= int.MaxValue
            ? (long)steps
            : throw new InvalidDataException(
                $"training: {steps:N0} steps of {TokensAStep:N0} tokens; a stage has at most {int.MaxValue:N0}");
    }

    /// <summary>Returns the course of the learning rates over a number of steps.</summary>
    public Schedule ScheduleOver(long steps)
    {
        bool falls = Schedule is ScheduleKind.StableDecay or ScheduleKind.StableDecayRoot;
        int whole = checked((int)steps), warmup = (int)Math.Min(Warmup, steps);
        return new Schedule(Schedule, whole, warmup, falls ? (int)Math.Round(Decay * steps) : 0, FinalShare);
    }

    /// <summary>Returns AdamW's numbers.</summary>
    public AdamWSettings AdamWSettings() => new(LearningRate, Beta1, Beta2, Epsilon, WeightDecay);

    /// <summary>Returns Muon's numbers.</summary>
    public MuonSettings MuonSettings() => new(MatrixLearningRate, Momentum, WeightDecay);

    internal void Validate(string where)
    {
        int stated = (Steps is null ? 0 : 1) + (Tokens is null ? 0 : 1) + (Passes is null ? 0 : 1);
        if (stated != 1)
        {
            throw new ArgumentException(
                $"{where}: state one of steps, tokens and passes{(stated == 0 ? "" : $", not {stated} of them")}");
        }

        if (TokensAStep > int.MaxValue)
        {
            throw new ArgumentException(
                $"{where}: batch × sequence × accumulation is {TokensAStep} tokens a step; wanted at most "
                + $"{int.MaxValue}");
        }

        StepsFor(0);
    }
}
