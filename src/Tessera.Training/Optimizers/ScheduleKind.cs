namespace Tessera.Training.Optimizers;

/// <summary>Names what the learning rate does after its warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>It stays.</summary>
    Constant,

    /// <summary>It falls along half a cosine (arXiv 1608.03983).</summary>
    Cosine,

    /// <summary>It stays, then falls in a straight line over the last steps (arXiv 2404.06395).</summary>
    StableDecay,

    /// <summary>It stays, then falls as 1 − √x over the last steps (arXiv 2405.18392).</summary>
    StableDecayRoot,

    /// <summary>It falls as 1/√step (arXiv 1706.03762).</summary>
    InverseRoot,
}
