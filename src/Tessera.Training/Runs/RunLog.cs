using Tessera.Training.Recipes;

namespace Tessera.Training.Runs;

/// <summary>
/// Takes the events of a run: appends them to metrics.jsonl, hands them on to a display, and writes the report at
/// intervals.
/// </summary>
/// <remarks>
/// Of one step the order is: step, measurements, samples, then the checkpoint. So a checkpoint stands behind all that
/// its step has told, and a run that goes on from it tells nothing twice.
/// </remarks>
public sealed class RunLog : IProgress<RunEvent>, IDisposable
{
    private const int RefreshSeconds = 20;
    private readonly RunFolder _folder;
    private readonly IProgress<RunEvent>? _display;
    private readonly TimeProvider _time;
    private readonly string _recipe;
    private RunHistory _history = new();
    private long _written;
    private bool _reportFailed;

    /// <summary>Makes a log of a run that begins.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="display">Hears every event; null where nobody asks.</param>
    /// <param name="time">The clock for the report's intervals.</param>
    public RunLog(RunFolder folder, IProgress<RunEvent>? display, TimeProvider time)
    {
        (_folder, _display, _time) = (folder, display, time);
        _recipe = RecipeWriter.Write(folder.Recipe);
        _written = time.GetTimestamp();
    }

    /// <summary>
    /// Forgets what was told of later steps than <paramref name="step"/>: the run goes on from there.
    /// </summary>
    public void GoBackTo(long step)
    {
        _history = new RunHistory();
        foreach (RunEvent what in _folder.Metrics.TruncateTo(step))
        {
            _history.Add(what);
        }
    }

    /// <summary>Takes an event.</summary>
    /// <exception cref="IOException">metrics.jsonl can't be written.</exception>
    public void Report(RunEvent value)
    {
        // How far the reading of data has come is for the display alone.
        if (value is not DataRead)
        {
            _folder.Metrics.Append(value);
            _history.Add(value);
        }

        _display?.Report(value);
        bool now = value is RunStarted or RunEnded or Measured or Sampled;
        if (now || _time.GetElapsedTime(_written).TotalSeconds >= RefreshSeconds)
        {
            WriteReport();
        }
    }

    /// <summary>Puts the metrics on the disk itself: before a checkpoint counts on them.</summary>
    public void Flush() => _folder.Metrics.Flush();

    /// <summary>Writes the report as things stand.</summary>
    public void Dispose() => WriteReport();

    private void WriteReport()
    {
        _written = _time.GetTimestamp();
        try
        {
            RunReport.Write(_folder.ReportPath, _history, _recipe, RefreshSeconds);
            _reportFailed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A report is no reason to lose a run; it is said once.
            if (!_reportFailed)
            {
                _reportFailed = true;
                _display?.Report(new Warned { Step = _history.Last?.Step ?? 0, Message = e.Message });
            }
        }
    }
}
