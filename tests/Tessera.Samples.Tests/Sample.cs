using System.Reflection;

namespace Tessera.Samples.Tests;

/// <summary>Runs a sample's program in this process.</summary>
internal static class Sample
{
    /// <summary>Returns what the program writes to standard output.</summary>
    public static string Run(string name, params string[] arguments)
    {
        TextWriter before = Console.Out;
        using StringWriter output = new();
        Console.SetOut(output);
        try
        {
            Assembly.Load(name).EntryPoint!.Invoke(null, [arguments]);
        }
        finally
        {
            Console.SetOut(before);
        }

        return output.ToString();
    }
}
