using System.CommandLine;
using System.Security.Cryptography;
using Tessera.Inference.Sampling;

namespace Tessera.Cli;

/// <summary>Holds the options that say how tokens are drawn.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<double?> _temperature = NumberOptions.Real(
        "--temperature", "How freely tokens are drawn; 0 always takes the most probable one", 0, 100);

    private readonly Option<double?> _topP = NumberOptions.Real(
        "--top-p", "Draw from the most probable tokens that together reach this probability", 0, 1);

    private readonly Option<int?> _topK = NumberOptions.Whole(
        "--top-k", "Draw from this many of the most probable tokens", 1);

    private readonly Option<double?> _minP = NumberOptions.Real(
        "--min-p", "Draw from tokens with at least this share of the best one's probability", 0, 1);

    private readonly Option<double?> _repetitionPenalty = NumberOptions.Real(
        "--repetition-penalty", "Make tokens that were there before less probable; 1 does nothing", 0.01, 100);

    private readonly Option<long?> _seed = NumberOptions.Seed("--seed", "Draw the same tokens each time");

    /// <summary>Adds the options to a command.</summary>
    public SamplingArguments(Command command)
    {
        foreach (Option option in (Option[])[_temperature, _topP, _topK, _minP, _repetitionPenalty, _seed])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Returns the model's own options with those of the command line in their place.</summary>
    public SamplingOptions Apply(ParseResult arguments, SamplingOptions model) => model with
    {
        Temperature = arguments.GetValue(_temperature) ?? model.Temperature,
        TopP = arguments.GetValue(_topP) ?? model.TopP,
        TopK = arguments.GetValue(_topK) ?? model.TopK,
        MinP = arguments.GetValue(_minP) ?? model.MinP,
        RepetitionPenalty = arguments.GetValue(_repetitionPenalty) ?? model.RepetitionPenalty,

        // A seed that people can type again.
        Seed = (ulong)(arguments.GetValue(_seed) ?? RandomNumberGenerator.GetInt32(int.MaxValue)),
    };
}
