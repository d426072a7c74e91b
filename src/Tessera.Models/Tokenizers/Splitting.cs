namespace Tessera.Models.Tokenizers;

/// <summary>Names how a text is split into words before merging; no token crosses a word's end.</summary>
public enum Splitting
{
    /// <summary>Does not split: the whole text is one word.</summary>
    None,

    /// <summary>
    /// Splits as GPT-2 does: contractions, letters, numbers or other characters with one leading space each.
    /// </summary>
    Gpt2,

    /// <summary>Splits as cl100k_base (GPT-3.5, GPT-4, Llama 3) does: numbers by three, line ends apart.</summary>
    Cl100k,

    /// <summary>Splits as GPT-2 does between numbers, of which each character is a word (SmolLM, StarCoder).</summary>
    Gpt2Digits,
}
