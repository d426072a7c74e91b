using Tessera.Models.ChatTemplates;
using Tessera.Models.Tokenizers;
using Tessera.Training.Data;
using Tessera.Training.Recipes;

namespace Tessera.Training.Runs;

/// <summary>Makes the tokenizer that a recipe asks for, or loads the one that it names.</summary>
public static class TokenizerMaker
{
    /// <summary>Returns the recipe's tokenizer.</summary>
    /// <param name="recipe">The recipe; a tokenizer is trained on the data of its first stage.</param>
    /// <param name="badLines">Counts the lines that were skipped.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The data is broken or holds too little text.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static ByteLevelBpe Make(
        Recipe recipe, BadLines badLines, CancellationToken cancellation = default)
    {
        TokenizerRecipe wanted = recipe.Tokenizer;
        if (wanted.Path is { } path)
        {
            return ByteLevelBpe.Load(Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path);
        }

        DataRecipe data = recipe.Stages[0].Data;
        return wanted.Kind == TokenizerKind.Characters
            ? BpeTrainer.TrainBytes(AllTexts(recipe, badLines, cancellation), wanted.ControlTokens)
            : Train(recipe, data, badLines, cancellation);
    }

    private static ByteLevelBpe Train(
        Recipe recipe, DataRecipe data, BadLines badLines, CancellationToken cancellation)
    {
        TokenizerRecipe wanted = recipe.Tokenizer;
        DocumentSlice slice = new(data.HoldOut, IsHeldOut: false);
        IReadOnlyList<byte[]> texts = TextSample.First(
            [.. data.Sources.Select(s => Slices(s, slice))],
            [.. data.Sources.Select(s => s.Weight).OfType<double>()],
            recipe.Seed,
            wanted.Documents,
            (long)wanted.Megabytes * 1_000_000,
            badLines,
            cancellation);
        if (texts.Count == 0)
        {
            string paths = string.Join(", ", data.Sources.Select(s => s.Path));
            throw new InvalidDataException(
                $"data.sources: no document with a word in {paths}, so that no tokenizer can be trained");
        }

        return new BpeTrainer(wanted.Settings()).Train(texts.Select(Next)).Tokenizer;

        ReadOnlyMemory<byte> Next(byte[] text)
        {
            cancellation.ThrowIfCancellationRequested();
            return text;
        }
    }

    private static IReadOnlyList<SliceOfFile> Slices(SourceRecipe source, DocumentSlice slice) =>
        [.. SourceFiles.Find(source.Path).Select(f => new SliceOfFile(f, TrainingData.SliceOf(source, slice)))];

    /// <summary>
    /// Returns all texts, the held-out ones too: which characters there are is no knowledge of what they say.
    /// </summary>
    private static IEnumerable<ReadOnlyMemory<byte>> AllTexts(
        Recipe recipe, BadLines badLines, CancellationToken cancellation)
    {
        IEnumerable<string> paths = recipe.Stages.SelectMany(s => s.Data.Sources.Select(p => p.Path))
            .Concat(recipe.Evaluation.HeldOut.Select(h => h.Path));
        foreach (string file in paths.SelectMany(p => SourceFiles.Find(p)).Distinct())
        {
            foreach (Document document in DocumentReader.Read(file, DocumentSlice.All, badLines))
            {
                cancellation.ThrowIfCancellationRequested();
                yield return document.Text;
                foreach (ChatTurn turn in document.Turns)
                {
                    yield return System.Text.Encoding.UTF8.GetBytes($"{turn.Role}\n{turn.Content}");
                }
            }
        }
    }
}
