using System.CommandLine;
using System.Security.Cryptography;
using Tessera.Inference.Sampling;

namespace Tessera.Cli;

/// <summary>Holds the options that say how tokens are drawn.</summary>
internal sealed class SamplingArguments
{
    private readonly NumberOption _temperature = NumberOption.Real(
        "--temperature", "How freely tokens are drawn; 0 always takes the most probable one", 0, 100);

    private readonly NumberOption _topP = NumberOption.Real(
        "--top-p", "Draw from the most probable tokens that together reach this probability", 0, 1);

    private readonly NumberOption _topK = NumberOption.Whole(
        "--top-k", "Draw from this many of the most probable tokens", 1);

    private readonly NumberOption _minP = NumberOption.Real(
        "--min-p", "Draw from tokens with at least this share of the best one's probability", 0, 1);

    private readonly NumberOption _repetitionPenalty = NumberOption.Real(
        "--repetition-penalty", "Make tokens that were there before less probable; 1 does nothing", 0.01, 100);

    private readonly NumberOption _seed = NumberOption.Seed("--seed", "Draw the same tokens each time");

    /// <summary>Adds the options to a command.</summary>
    public SamplingArguments(Command command)
    {
        foreach (NumberOption option in (NumberOption[])[_temperature, _topP, _topK, _minP, _repetitionPenalty, _seed])
        {
            command.Options.Add(option.Option);
        }
    }

    /// <summary>Returns the model's own options with those of the command line in their place.</summary>
    public SamplingOptions Apply(ParseResult arguments, SamplingOptions model) => model with
    {
        Temperature = _temperature.Double(arguments) ?? model.Temperature,
        TopP = _topP.Double(arguments) ?? model.TopP,
        TopK = _topK.Int(arguments) ?? model.TopK,
        MinP = _minP.Double(arguments) ?? model.MinP,
        RepetitionPenalty = _repetitionPenalty.Double(arguments) ?? model.RepetitionPenalty,

        // A seed that people can type again.
        Seed = (ulong)(_seed.Long(arguments) ?? RandomNumberGenerator.GetInt32(int.MaxValue)),
    };
}
