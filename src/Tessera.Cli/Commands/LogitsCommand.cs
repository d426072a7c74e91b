using System.CommandLine;
using System.Runtime.InteropServices;
using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Tensors;
using Tessera.Tensors.Files;

namespace Tessera.Cli.Commands;

/// <summary>Writes a model's logits to a file, to compare implementations.</summary>
internal static class LogitsCommand
{
    // Rows whose logits are held at once: 32 of a vocabulary of 150,000 are 19 MB.
    private const int RowsAtOnce = 32;

    public static Command Create()
    {
        TesseraCommand command = new(
            "logits", "Write the logits after each token: float32, little-endian, tokens × vocabulary.")
        {
            Examples =
            [
                ("tessera logits ./my-model --tokens 1,2,3 --output logits.f32", "three rows of logits"),
                ("python3 -c \"import numpy; print(numpy.fromfile('logits.f32', '<f4').reshape(3, -1))\"", "read them"),
            ],
        };
        Argument<string?> model = ModelFolder.Argument();
        Option<string> tokens = new("--tokens")
        {
            Description = "The ids, apart by commas; none is added",
            Required = true,
            HelpName = "ids",
        };
        Option<FileInfo> output = new("--output")
        {
            Description = "The file to write",
            Required = true,
            HelpName = "file",
        };
        command.Arguments.Add(model);
        command.Options.Add(tokens);
        command.Options.Add(output);
        command.SetAction(arguments =>
        {
            string folder = ModelFolder.Find(arguments.GetValue(model));
            using StoredModel stored = StoredModel.Open(folder);
            int[] ids = Ids(arguments.GetRequiredValue(tokens), stored.Config);
            Transformer transformer = stored.Serve(DType.F32, ids.Length);
            string path = arguments.GetRequiredValue(output).FullName;
            long bytes = (long)ids.Length * stored.Config.VocabularySize * sizeof(float);
            AtomicFile.Write(path, stream => Write(transformer, ids, stream), bytes);
        });
        return command;
    }

    private static int[] Ids(string text, TransformerConfig config)
    {
        string[] numbers = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        int vocabulary = config.VocabularySize;
        int[] ids = [.. numbers.Select(number => TokenizerLines.TryId(number, out int id) && id < vocabulary
            ? id
            : throw new CommandFailedException(
                $"--tokens has {number}; wanted ids from 0 to {vocabulary - 1}, apart by commas"))];
        return ids.Length >= 1 && ids.Length <= config.ContextLength
            ? ids
            : throw new CommandFailedException(
                $"--tokens has {ids.Length} ids; the model's context takes 1 to {config.ContextLength}");
    }

    private static void Write(Transformer model, int[] ids, Stream stream)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor hidden = model.Forward(ids, Segments.Of(ids.Length)); // (N, C)
        for (int start = 0; start < ids.Length; start += RowsAtOnce)
        {
            using TensorScope rows = TensorScope.Begin();
            int[] wanted = [.. Enumerable.Range(start, Math.Min(RowsAtOnce, ids.Length - start))];
            Span<float> logits = model.Logits(hidden, wanted).Span<float>(); // (rows, V)
            if (!BitConverter.IsLittleEndian)
            {
                Span<int> bits = MemoryMarshal.Cast<float, int>(logits);
                System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(bits, bits);
            }

            stream.Write(MemoryMarshal.AsBytes(logits));
        }
    }
}
