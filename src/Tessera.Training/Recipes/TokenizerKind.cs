namespace Tessera.Training.Recipes;

/// <summary>Names how a tokenizer is made.</summary>
public enum TokenizerKind
{
    /// <summary>Byte-level byte-pair encoding, trained on the first documents of the run.</summary>
    Bpe,

    /// <summary>The bytes that occur in the data, each a token; for English text these are its characters.</summary>
    Characters,
}
