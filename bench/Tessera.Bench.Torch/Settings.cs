using System.Globalization;

namespace Tessera.Bench.Torch;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings(bool Matmul, bool Step, string Only, int Rounds, bool Short, bool SinglesOnly)
{
    public const string Usage =
        """
        Usage: Tessera.Bench.Torch [matmul] [step] [options]

        Times Tessera and PyTorch (TorchSharp's LibTorch, eager) in turn, A B A B, two threads each. Each side is a
        process of its own; the other one is idle while it works. Without a name both are run.

          matmul        matrix products, three forms, float32 and bfloat16
          step          whole training steps of three shapes, and their peak memory

          --only TEXT   only rows with this text, as "bf16", "AtB" or "nano"
          --rounds N    blocks of each side (5)
          --f32         steps in float32 alone: where the processor has no bfloat16, PyTorch emulates it, which takes
                        minutes for a step
          --short       the smallest shapes, one block
        """;

    public static Settings Parse(string[] args)
    {
        Settings settings = new(false, false, "", 5, false, false);
        for (int i = 0; i < args.Length; i++)
        {
            settings = args[i] switch
            {
                "matmul" => settings with { Matmul = true },
                "step" => settings with { Step = true },
                "--short" => settings with { Short = true, Rounds = 1 },
                "--f32" => settings with { SinglesOnly = true },
                "--only" when i + 1 < args.Length => settings with { Only = args[++i] },
                "--rounds" when i + 1 < args.Length => settings with { Rounds = ParseRounds(args[++i]) },
                _ => throw new ArgumentException($"'{args[i]}' is not known, or lacks its value"),
            };
        }

        return settings.Matmul || settings.Step ? settings : settings with { Matmul = true, Step = true };
    }

    private static int ParseRounds(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) && rounds > 0
            ? rounds
            : throw new ArgumentException($"--rounds: '{text}' is not a whole number from 1 on");
}
