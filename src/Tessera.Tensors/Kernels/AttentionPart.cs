namespace Tessera.Tensors.Kernels;

/// <summary>
/// Names a part of the work of attention's gradient: some rows and some keys of one sequence (counted from its first)
/// and a key head.
/// </summary>
/// <param name="Run">The number of the run of rows.</param>
/// <param name="Segment">The sequence.</param>
/// <param name="Head">The key head.</param>
/// <param name="FirstRow">The first query row.</param>
/// <param name="EndRow">The query row after the last.</param>
/// <param name="FirstKey">The first key.</param>
/// <param name="EndKey">The key after the last.</param>
/// <param name="WantsQueries">
/// Whether the gradient of the rows' queries is computed; the keys are then all that they see.
/// </param>
/// <param name="WantsKeys">
/// Whether that of the keys and values is computed; the rows are then all that see them.
/// </param>
internal readonly record struct AttentionPart(
    int Run, int Segment, int Head, int FirstRow, int EndRow, int FirstKey, int EndKey,
    bool WantsQueries, bool WantsKeys);
