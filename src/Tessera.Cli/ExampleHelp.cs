using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Tessera.Cli;

/// <summary>Shows a command's help and its examples after it.</summary>
internal sealed class ExampleHelp(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = usual.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is not TesseraCommand command)
        {
            output.WriteLine("Begin with 'tessera chat', and add --help to a command for its options and examples.");
            return code;
        }

        output.WriteLine("Examples:");
        foreach ((string line, string meaning) in command.Examples)
        {
            output.WriteLine($"  {line}");
            output.WriteLine($"      {meaning}");
        }

        return code;
    }
}
