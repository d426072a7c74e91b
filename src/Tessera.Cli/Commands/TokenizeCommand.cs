using System.CommandLine;
using Tessera.Models.Checkpoints;
using Tessera.Models.Tokenizers;
using Tessera.Tensors.Files;

namespace Tessera.Cli.Commands;

/// <summary>Turns text into tokens and back.</summary>
internal static class TokenizeCommand
{
    public static Command Create()
    {
        TesseraCommand command = new("tokenize", "Turn text from standard input into the ids of tokens, or back.")
        {
            Examples =
            [
                ("echo -n \"Hello world\" | tessera tokenize", "the ids of a text, as a JSON array"),
                ("tessera tokenize ./my-model --jsonl < texts.jsonl", "a JSON string a line in, an array a line out"),
                ("echo \"[15496, 995]\" | tessera tokenize --decode", "the text of ids"),
            ],
        };
        Argument<string?> model = ModelFolder.Argument();
        Option<bool> jsonl = new("--jsonl") { Description = "Read and write JSON, one value a line" };
        Option<bool> bos = new("--bos") { Description = "Put the token that begins a text first" };
        Option<bool> special = new("--special") { Description = "Let markers in the text become control tokens" };
        Option<bool> decode = new("--decode") { Description = "Turn ids into text" };
        command.Arguments.Add(model);
        command.Options.Add(jsonl);
        command.Options.Add(bos);
        command.Options.Add(special);
        command.Options.Add(decode);
        command.SetAction(arguments =>
        {
            string folder = ModelFolder.Find(arguments.GetValue(model));
            ByteLevelBpe tokenizer = Load(folder);
            int[] first = arguments.GetValue(bos) ? [BosId(folder)] : [];
            TokenizerLines lines = new(tokenizer, first, arguments.GetValue(special));
            using Stream input = Console.OpenStandardInput();
            using Stream output = Console.OpenStandardOutput();
            Action<Stream, Stream> run = (arguments.GetValue(decode), arguments.GetValue(jsonl)) switch
            {
                (false, false) => lines.EncodeText,
                (false, true) => lines.EncodeLines,
                (true, false) => lines.DecodeIds,
                (true, true) => lines.DecodeLines,
            };
            run(input, output);
        });
        return command;
    }

    // A folder needs nothing but its tokenizer.json here: texts can be counted before there is a model.
    private static ByteLevelBpe Load(string path)
    {
        string json = Path.Combine(path, "tokenizer.json");
        if (File.Exists(json))
        {
            return ByteLevelBpe.Load(json);
        }

        if (File.Exists(path))
        {
            using StoredModel stored = StoredModel.Open(path);
            return stored.ReadTokenizer();
        }

        HiddenPath.ThrowIfHidden(json);
        throw new CommandFailedException($"{path} has no tokenizer.json; give the folder of a model with one");
    }

    private static int BosId(string path)
    {
        using StoredModel stored = StoredModel.Open(path);
        return stored.Generation.BosId ?? throw new CommandFailedException(
            $"{path} names no token that begins a text (bos_token_id); leave --bos away");
    }
}
