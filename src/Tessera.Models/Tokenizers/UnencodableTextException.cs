using Tessera.Tensors.Files;

namespace Tessera.Models.Tokenizers;

/// <summary>Says that a text has a byte for which the vocabulary has no token.</summary>
public sealed class UnencodableTextException : ArgumentException
{
    internal UnencodableTextException(byte value, string word)
        : base($"Encode: the vocabulary lacks byte 0x{value:X2} of {HostileText.Quote(word)}")
    {
    }
}
