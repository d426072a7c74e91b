using Tessera.Tensors;
using Tessera.Tensors.Files;

namespace Tessera.Models.Gguf;

/// <summary>Gives what a GGUF file states about its architecture, and which tensors it has.</summary>
/// <remarks>Names of values are without the architecture before them; errors name file, key and value.</remarks>
internal sealed class GgufFields(GgufFile file, string architecture)
{
    /// <summary>Gets the file.</summary>
    public GgufFile File => file;

    /// <summary>Gets the number of tokens: the rows of the embedding.</summary>
    public int Vocabulary => file.TryGet("token_embd.weight", out Tensor? embedding) && embedding.Shape.Rank == 2
        ? embedding.Shape[0]
        : throw new InvalidDataException(
            $"{file.Path}: tensor token_embd.weight is {embedding?.ToString() ?? "missing"}; a matrix is wanted");

    /// <summary>Returns a whole number within bounds; absent, it is an error.</summary>
    public int Int(string name, int least, int most) => file.Metadata.Int(Key(name), least, most);

    /// <summary>Returns a whole number within bounds, or null where it is absent.</summary>
    public int? OptionalInt(string name, int least, int most) => file.Metadata.OptionalInt(Key(name), least, most);

    /// <summary>Returns a number within bounds, or another where it is absent.</summary>
    public double Double(string name, double otherwise, double least, double most)
    {
        double number = file.Metadata.OptionalDouble(Key(name)) ?? otherwise;
        return number >= least && number <= most ? number : throw Wrong(name, $"a number from {least} to {most}");
    }

    /// <summary>Requires that a text, where it is there, says what we compute.</summary>
    public void Require(string name, string wanted)
    {
        if ((file.Metadata.OptionalText(Key(name)) ?? wanted) != wanted)
        {
            throw Wrong(name, wanted);
        }
    }

    /// <summary>Returns whether the file has a tensor.</summary>
    public bool Has(string tensor) => file.TryGet(tensor, out _);

    /// <summary>Makes the error for a value that is of no use.</summary>
    public InvalidDataException Wrong(string name, string wanted) =>
        file.Metadata.Wrong(Key(name), wanted);

    private string Key(string name) => $"{architecture}.{name}";
}
