using System.CommandLine;
using Tessera.Models.Tokenizers;
using Tessera.Tensors.Files;
using Tessera.Training.Data;

namespace Tessera.Cli.Commands;

/// <summary><c>tessera tokenizer train</c>: makes a byte-level BPE tokenizer from text.</summary>
internal static class TokenizerCommand
{
    private const int UsualVocabulary = 8192;

    private static readonly string[] _controlTokens =
        [TokenizerEncoder.EndOfTextMarker, TokenizerEncoder.StartMarker, TokenizerEncoder.EndMarker];

    public static Command Create()
    {
        Option<string[]> data = new("--data")
        {
            Description = "Text: files, folders or globs (.txt, .md, .jsonl, gzipped or not)",
            AllowMultipleArgumentsPerToken = true,
            Required = true,
        };
        NumberOption vocabulary = NumberOption.Whole(
            "--vocabulary",
            $"Tokens in all: control tokens, 256 bytes, merges [default: {UsualVocabulary}]",
            256 + _controlTokens.Length);
        Option<Splitting> splitting = new("--splitting")
        {
            Description = "How text is cut into words: Gpt2 or Cl100k",
            DefaultValueFactory = _ => Splitting.Gpt2,
        };
        Option<string> output = new("--output", "-o")
        {
            Description = "The file that is written",
            DefaultValueFactory = _ => "tokenizer.json",
        };
        TesseraCommand train = new("train", "Train a byte-level BPE tokenizer and write it as tokenizer.json.")
        {
            Examples =
            [
                ("tessera tokenizer train --data my-books/*.txt --vocabulary 4096", "learn 4,096 tokens of your text"),
                ("tessera tokenizer train --data corpus.jsonl.gz -o corpus-tokenizer.json", "name the file"),
            ],
        };
        foreach (Option option in (Option[])[data, vocabulary.Option, splitting, output])
        {
            train.Options.Add(option);
        }

        train.SetAction(arguments => Train(
            arguments.GetValue(data)!,
            vocabulary.Int(arguments) ?? UsualVocabulary,
            arguments.GetValue(splitting),
            arguments.GetValue(output)!));
        return new Command("tokenizer", "Make tokenizers") { train };
    }

    private static int Train(string[] data, int vocabulary, Splitting splitting, string output)
    {
        BadLines badLines = new(BadLines.DefaultLimit);
        BpeTrainer trainer = Trainer(new BpeTrainerSettings
        {
            VocabularySize = vocabulary,
            Splitting = splitting,
            SpecialTokens = _controlTokens,
        });
        ByteLevelBpe tokenizer = trainer.Train(Texts(data, badLines)).Tokenizer;
        AtomicFile.Write(output, tokenizer.ToJson());
        string skipped = badLines.Count > 0 ? $"; {badLines.Count} bad lines were skipped" : "";
        StandardStreams.Error.WriteLine($"{output}: {tokenizer.VocabularySize:N0} tokens{skipped}");
        return 0;
    }

    private static BpeTrainer Trainer(BpeTrainerSettings settings)
    {
        try
        {
            return new BpeTrainer(settings);
        }
        catch (ArgumentException wrong)
        {
            throw new CommandFailedException(wrong.Message);
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Texts(string[] data, BadLines badLines)
    {
        foreach (string file in data.SelectMany(path => SourceFiles.Find(path)))
        {
            foreach (Document document in DocumentReader.Read(file, DocumentSlice.All, badLines))
            {
                yield return document.Text;
            }
        }
    }
}
