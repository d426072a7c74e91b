using Tessera.Training.Data;
using Tessera.Training.Recipes;

namespace Tessera.Training.Runs;

/// <summary>
/// Opens what one stage of a recipe learns from and is measured on, tokenised first where that is needed.
/// </summary>
public sealed class TrainingData : IDisposable
{
    private readonly List<TokenFile> _files = [];

    private TrainingData()
    {
    }

    /// <summary>Gets what is learned from.</summary>
    public Mixture Mixture { get; private set; } = null!;

    /// <summary>Gets what is measured on.</summary>
    public IReadOnlyList<HeldOutSet> HeldOut { get; private set; } = [];

    /// <summary>Gets the list of the files.</summary>
    public Manifest Manifest { get; private set; } = null!;

    /// <summary>Gets the number of steps that the stage takes.</summary>
    public long Steps { get; private set; }

    /// <summary>Opens the data of a stage.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="encoder">The tokenizer.</param>
    /// <param name="badLines">Counts the lines that were skipped.</param>
    /// <param name="progress">Hears what is being read; null where nobody asks.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="InvalidDataException">A file is broken, or there are too many bad lines.</exception>
    /// <exception cref="IOException">A file can't be read or the cache can't be written.</exception>
    public static TrainingData Open(
        Recipe recipe,
        StageRecipe stage,
        IDocumentEncoder encoder,
        BadLines badLines,
        IProgress<TokenisingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        TrainingData data = new();
        try
        {
            data.Fill(recipe, stage, encoder, badLines, progress, cancellation);
            return data;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>Returns a reader of the stage's batches.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="encoder">The tokenizer.</param>
    /// <param name="position">Where to go on; null to begin.</param>
    public BatchReader Read(
        Recipe recipe, StageRecipe stage, IDocumentEncoder encoder, DataPosition? position = null) =>
        new(Mixture, Options(recipe, stage, encoder), position);

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(f => f.Dispose());

    private static BatchOptions Options(Recipe recipe, StageRecipe stage, IDocumentEncoder encoder) => new()
    {
        Mode = stage.Data.Documents,
        Sequences = stage.Training.Batch,
        Length = stage.Training.Sequence,
        Seed = SeedOf(recipe, stage),
        EndOfText = encoder.EndOfText,
    };

    /// <summary>
    /// Returns the recipe's seed for the first stage, and another for each after it: a source that several stages read
    /// would else begin with the same documents each time.
    /// </summary>
    private static long SeedOf(Recipe recipe, StageRecipe stage)
    {
        int index = recipe.Stages.TakeWhile(s => !ReferenceEquals(s, stage) && s != stage).Count();
        return index == 0 ? recipe.Seed : unchecked((long)Chance.Mix((ulong)recipe.Seed, (ulong)index));
    }

    private void Fill(
        Recipe recipe,
        StageRecipe stage,
        IDocumentEncoder encoder,
        BadLines badLines,
        IProgress<TokenisingProgress>? progress,
        CancellationToken cancellation)
    {
        TokenCache cache = new(stage.Data.Cache ?? TokenCache.DefaultFolder);
        DocumentSlice learned = new(stage.Data.HoldOut, IsHeldOut: false);
        List<List<TokenFile>> sources = [.. stage.Data.Sources.Select(s => OpenAll(s.Path, SliceOf(s, learned)))];
        Mix(stage, sources);

        List<HeldOutSet> heldOut = [.. recipe.Evaluation.HeldOut.Select(h =>
            new HeldOutSet(h.Name ?? NameOf(h.Path), OpenAll(h.Path, DocumentSlice.All)))];
        if (stage.Data.HoldOut > 0)
        {
            DocumentSlice rest = learned with { IsHeldOut = true };
            List<TokenFile> files = [.. stage.Data.Sources.SelectMany(s => OpenAll(s.Path, SliceOf(s, rest)))];
            heldOut.Insert(0, new HeldOutSet("held out", files));
        }

        HeldOut = heldOut;
        Manifest = new Manifest
        {
            Tokenizer = encoder.Fingerprint,
            Sources = Manifest.Of(Mixture),
            HeldOut = [.. heldOut.Select(h => ManifestSource.Of(h.Name, 0, h.Files))],
        };

        List<TokenFile> OpenAll(string path, DocumentSlice slice)
        {
            List<TokenFile> opened = [];
            foreach (string file in SourceFiles.Find(path))
            {
                TokenFile tokens = cache.Open(file, slice, encoder, badLines, Named(file, progress), cancellation);
                _files.Add(tokens);
                opened.Add(tokens);
            }

            return opened;
        }
    }

    internal static DocumentSlice SliceOf(SourceRecipe source, DocumentSlice slice) =>
        slice with { Filter = DocumentFilter.Of(source.Only) };

    private void Mix(StageRecipe stage, List<List<TokenFile>> sources)
    {
        IReadOnlyList<SourceRecipe> recipes = stage.Data.Sources;
        long rows = sources.Sum(files => files.Sum(f => f.Tokens + f.Documents));
        Steps = stage.Training.StepsFor(rows);
        bool mixed = recipes.Any(s => s.Weight is not null || s.Cap is not null || s.Passes is not null)
            || recipes.Any(s => s.Loss != recipes[0].Loss);
        Mixture = mixed
            ? Mixture.Of([.. recipes.Select((s, i) => Source(s, sources[i]))], Steps * stage.Training.TokensAStep)
            : Mixture.OfAll([.. sources.SelectMany(f => f)], recipes[0].Loss == LossKind.Replies);
    }

    private static MixtureSource Source(SourceRecipe source, List<TokenFile> files) => new(
        new DocumentPool(NameOf(source.Path), files, source.Loss == LossKind.Replies),
        source.Weight,
        source.Cap ?? 1,
        source.Passes ?? double.PositiveInfinity);

    private static string NameOf(string path)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 ? name[..dot] : name;
    }

    private static NamedProgress? Named(string file, IProgress<TokenisingProgress>? progress) =>
        progress is null ? null : new NamedProgress(file, progress);

    private sealed class NamedProgress(string file, IProgress<TokenisingProgress> inner) : IProgress<long>
    {
        public void Report(long value) => inner.Report(new TokenisingProgress(file, value));
    }
}
