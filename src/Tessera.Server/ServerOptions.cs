using System.Net;

namespace Tessera.Server;

/// <summary>Sets where a server listens, who may use it and how much it takes.</summary>
public sealed record ServerOptions
{
    /// <summary>Gets the address that it listens on: an IP address or localhost.</summary>
    public string Host
    {
        get;
        init => field = value == "localhost" || IPAddress.TryParse(value, out _)
            ? value
            : throw new ArgumentException(
                $"Serve: '{value}' is no address to listen on; use 127.0.0.1 for this machine alone, or 0.0.0.0",
                nameof(Host));
    } = "127.0.0.1";

    /// <summary>Gets the port, from 0 to 65,535; 0 takes one that is free.</summary>
    public int Port
    {
        get;
        init => field = value is >= 0 and <= 65535
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Port), value, $"Serve: the port is {value}; wanted from 0 to 65535");
    } = 8080;

    /// <summary>Gets the key that a client must send; null lets everyone in.</summary>
    public string? ApiKey
    {
        get;
        init => field = value is not ""
            ? value
            : throw new ArgumentException("Serve: the API key is empty; leave it out for none", nameof(ApiKey));
    }

    /// <summary>Gets the size of the largest request, in bytes.</summary>
    public long MaxRequestBytes { get; init; } = 4 << 20;

    /// <summary>Gets how many answers to one prompt a request may ask for.</summary>
    public int MaxChoices { get; init; } = 128;

    internal IPAddress Address => Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(Host);
}
