namespace Tessera.Training.Runs;

/// <summary>Gathers the events of a run into what its report shows, in bounded memory.</summary>
internal sealed class RunHistory
{
    private const int MostNotes = 200;
    private readonly List<StageStarted> _stages = [];
    private readonly List<Measured> _measured = [];
    private readonly List<Sampled> _samples = [];
    private readonly List<Warned> _warnings = [];

    public RunStarted? Started { get; private set; }

    public RunEnded? Ended { get; private set; }

    public StepDone? Last { get; private set; }

    public CheckpointWritten? Checkpoint { get; private set; }

    /// <summary>
    /// Gets loss, learning rate, norm of the gradient, tokens a second and share of the roof over the steps.
    /// </summary>
    public Curve Steps { get; } = new(5);

    public IReadOnlyList<StageStarted> Stages => _stages;

    public IReadOnlyList<Measured> Measured => _measured;

    public IReadOnlyList<Sampled> Samples => _samples;

    public IReadOnlyList<Warned> Warnings => _warnings;

    public void Add(RunEvent what)
    {
        switch (what)
        {
            case RunStarted started:
                (Started, Ended) = (started, null);
                break;
            case StageStarted stage when _stages.All(s => s.Index != stage.Index):
                _stages.Add(stage);
                break;
            case StepDone step:
                Last = step;
                Steps.Add(
                    step.Step,
                    step.Loss,
                    step.LearningRate,
                    step.GradientNorm,
                    step.TokensPerSecond,
                    step.RoofShare ?? double.NaN);
                break;
            case Measured measured:
                _measured.Add(measured);
                break;
            case Sampled sample:
                AddNote(_samples, sample);
                break;
            case Warned warning:
                AddNote(_warnings, warning);
                break;
            case CheckpointWritten checkpoint:
                Checkpoint = checkpoint;
                break;
            case RunEnded ended:
                Ended = ended;
                break;
        }
    }

    private static void AddNote<T>(List<T> notes, T note)
    {
        if (notes.Count == MostNotes)
        {
            notes.RemoveAt(0);
        }

        notes.Add(note);
    }
}
