using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tessera.Server.Wire;

namespace Tessera.Server;

/// <summary>Lets requests pass that carry the key.</summary>
internal sealed class ApiKey(string key)
{
    private const string Scheme = "Bearer ";

    // Hashes have one length, so that comparing them takes one time whatever was sent.
    private readonly byte[] _hash = Hash(key);

    /// <summary>Checks a request's Authorization header.</summary>
    /// <exception cref="ApiError">There is no key, or another one.</exception>
    public void Check(HttpRequest request)
    {
        string header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            throw ApiError.NoKey();
        }

        string given = header[Scheme.Length..].Trim();
        if (!CryptographicOperations.FixedTimeEquals(Hash(given), _hash))
        {
            throw ApiError.WrongKey(Mask(given));
        }
    }

    /// <summary>Shows enough of a key to know it by, and too little to use it.</summary>
    private static string Mask(string key) =>
        key.Length < 12 ? new string('*', key.Length) : $"{key[..3]}***{key[^4..]}";

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
