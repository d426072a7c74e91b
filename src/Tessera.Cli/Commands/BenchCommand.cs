using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Tessera.Inference;
using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Tensors;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Memory;
using Tessera.Tensors.Threading;

namespace Tessera.Cli.Commands;

/// <summary><c>tessera bench</c>: how fast a model reads and answers, beside what the machine can do at most.</summary>
internal static class BenchCommand
{
    private const int UsualPrompt = 512;
    private const int UsualAnswer = 128;
    private static readonly int[] _usualDepths = [0, 2048];
    private static readonly int[] _usualParallel = [1, 4, 16];

    public static Command Create()
    {
        TesseraCommand command = new("bench", "Measure how fast a model reads prompts and writes answers.")
        {
            Examples =
            [
                ("tessera bench", "the bundled model, alone and with 4 and 16 answers at the same time"),
                ("tessera bench ./my-model --depth 0,1024 --parallel 1 --threads 1", "one answer on one thread"),
                ("tessera bench --json", "for programs"),
            ],
        };
        Argument<string?> model = ModelFolder.Argument();
        NumberOption prompt = NumberOption.Whole(
            "--prompt", $"Tokens of a prompt that are read [default: {UsualPrompt}]", 1, 1 << 28);
        NumberOption generate = NumberOption.Whole(
            "--generate", $"Tokens of an answer that are written [default: {UsualAnswer}]", 1, 1 << 28);
        Option<string?> depth = List(
            "--depth", "How many tokens came before, for each row of the table [default: 0,2048]", 0, 1 << 28);
        Option<string?> parallel = List(
            "--parallel", "How many answers are written at the same time [default: 1,4,16]", 1, 1024);
        NumberOption threads = NumberOption.Whole(
            "--threads", $"Threads that compute [default: {Workers.Count}]", 1, Workers.Count);
        Option<bool> json = new("--json") { Description = "Write one JSON object when all is done" };
        command.Arguments.Add(model);
        foreach (Option option in (Option[])[prompt.Option, generate.Option, depth, parallel, threads.Option, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(arguments =>
        {
            string folder = ModelFolder.Find(arguments.GetValue(model));
            using StoredModel stored = StoredModel.Open(folder);
            BenchShapes shapes = BenchShapes.For(
                stored.Config.ContextLength,
                prompt.Int(arguments),
                generate.Int(arguments),
                Numbers(arguments.GetValue(depth)),
                Numbers(arguments.GetValue(parallel)) ?? _usualParallel);
            Run(stored, shapes, threads.Int(arguments) ?? Workers.Count, arguments.GetValue(json));
        });
        return command;
    }

    private static void Run(StoredModel stored, BenchShapes shapes, int threads, bool json)
    {
        TransformerConfig config = stored.Config;
        EngineOptions taken = new()
        {
            MaxConcurrent = shapes.Parallel.Max(),
            ContextLength = Math.Max(2, shapes.Positions),
            CachePositions = checked(shapes.Positions * shapes.Parallel.Max()),
        };
        ServingMemory.Of(config, stored.ServingType, taken).Require(stored.Location, AvailableMemory.Bytes());
        using ThreadLimit limit = Workers.Limit(threads);
        DType type = KernelSet.Default.Arithmetic(stored.ServingType, stored.ServingType);
        Transformer model = stored.Serve(contextLength: shapes.Positions);
        using EngineSpeed speed = new(model, shapes.Positions, shapes.Parallel.Max(), TimeProvider.System);
        double flops = MachineRoof.Flops(type, TimeProvider.System, threads);
        double bytes = MachineRoof.ReadBytes(TimeProvider.System, threads);
        BenchTable table = new(stored, shapes, threads, type, flops, bytes);
        if (!json)
        {
            table.WriteHead();
        }

        foreach (int depth in shapes.Depths)
        {
            foreach (int parallel in shapes.Parallel)
            {
                EngineSpeedResult result = speed.Measure(depth, parallel, shapes.Prompt, shapes.Answer);
                table.Add(result, show: !json);
            }
        }

        if (json)
        {
            StandardStreams.Output.WriteLine(table.ToJson());
        }
    }

    private static Option<string?> List(string name, string description, int low, int high)
    {
        Option<string?> option = new(name) { Description = description, HelpName = "numbers" };
        option.Validators.Add(result =>
        {
            string text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
            if (!text.Split(',').All(part => TryNumber(part, out int number) && number >= low && number <= high))
            {
                result.AddError($"{name} is '{text}'; wanted whole numbers from {low} to {high}, apart by commas.");
            }
        });
        return option;
    }

    private static int[]? Numbers(string? text) => text?.Split(',').Select(part =>
    {
        TryNumber(part, out int number);
        return number;
    }).ToArray();

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out number);

    /// <summary>What is measured, once it is known to fit the model's context.</summary>
    internal sealed record BenchShapes(int Prompt, int Answer, int[] Depths, int[] Parallel)
    {
        public int Positions => Depths.Max() + Prompt + Answer;

        public static BenchShapes For(int context, int? prompt, int? answer, int[]? depths, int[] parallel)
        {
            int read = prompt ?? Math.Min(UsualPrompt, Math.Max(1, context / 2));
            int written = answer ?? Math.Min(UsualAnswer, Math.Max(1, context / 4));
            int room = context - read - written;
            if (room < 0 || depths?.Max() > room)
            {
                throw new CommandFailedException(
                    $"--depth {depths?.Max() ?? 0}, --prompt {read} and --generate {written} are "
                    + $"{(long)(depths?.Max() ?? 0) + read + written} tokens together; "
                    + $"the model's context takes {context}");
            }

            int[] fitting = depths ?? [.. _usualDepths.Select(depth => Math.Min(depth, room)).Distinct()];
            bool clipped = (prompt is null && read < UsualPrompt) || (answer is null && written < UsualAnswer)
                || (depths is null && room < _usualDepths.Max());
            if (clipped)
            {
                StandardStreams.Error.WriteLine(
                    $"the model's context is {context}: prompts of {read}, answers of {written}, "
                    + $"depth {string.Join(", ", fitting)}");
            }

            return new BenchShapes(read, written, fitting, parallel);
        }
    }

    /// <summary>Shows the results beside the roofs.</summary>
    private sealed class BenchTable(
        StoredModel stored, BenchShapes shapes, int threads, DType type, double flops, double bytes)
    {
        private readonly List<EngineSpeedResult> _results = [];

        public void WriteHead()
        {
            StandardStreams.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{stored.ParameterCount:N0} parameters, {type}, {KernelSet.Default.InstructionSet}, {threads} "
                + $"threads; at most {flops / 1e9:F0} GFLOP/s and {bytes / 1e9:F1} GB/s here and now"));
            StandardStreams.Output.WriteLine(
                $"prompts of {shapes.Prompt}, answers of {shapes.Answer}; tokens a second, all sequences together");
            StandardStreams.Output.WriteLine("  depth  parallel    prefill  of FLOP/s     decode   of read");
        }

        public void Add(EngineSpeedResult result, bool show)
        {
            _results.Add(result);
            if (show)
            {
                (double read, double written) = Shares(result);
                StandardStreams.Output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{result.Depth,7} {result.Parallel,9} {result.PrefillTokensPerSecond,10:F0} {read,10:P0} "
                    + $"{result.DecodeTokensPerSecond,10:F0} {written,9:P0}"));
            }
        }

        public string ToJson() => JsonSerializer.Serialize(new
        {
            model = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(stored.Location))),
            parameters = stored.ParameterCount,
            type = type.ToString(),
            instruction_set = KernelSet.Default.InstructionSet.ToString(),
            threads,
            flops_per_second = flops,
            read_bytes_per_second = bytes,
            prompt = shapes.Prompt,
            generate = shapes.Answer,
            results = _results.Select(result => new
            {
                depth = result.Depth,
                parallel = result.Parallel,
                prefill_tokens_per_second = result.PrefillTokensPerSecond,
                prefill_share = Shares(result).Read,
                decode_tokens_per_second = result.DecodeTokensPerSecond,
                decode_share = Shares(result).Written,
            }),
        });

        private (double Read, double Written) Shares(EngineSpeedResult result) => (
            result.PrefillTokensPerSecond * result.FlopsPerPrefillToken / flops,
            result.DecodeTokensPerSecond * result.BytesPerDecodedToken / bytes);
    }
}
