using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Tessera.Inference;

namespace Tessera.Server;

/// <summary>Offers a model over HTTP in OpenAI's wire format.</summary>
public sealed class TesseraServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TesseraServer(WebApplication application, Uri address) => (_application, Address) = (application, address);

    /// <summary>Gets the address that it listens on.</summary>
    public Uri Address { get; }

    /// <summary>Starts to listen.</summary>
    /// <param name="model">The model; it belongs to the caller, and must outlive the server.</param>
    /// <param name="options">Where to listen, and for whom.</param>
    /// <param name="log">Takes a line for each request, and what went wrong inside; null takes none.</param>
    /// <param name="time">The clock of the answers; null takes the system's.</param>
    /// <exception cref="IOException">The port is taken or not allowed.</exception>
    public static async Task<TesseraServer> StartAsync(
        ChatModel model, ServerOptions options, TextWriter? log = null, TimeProvider? time = null)
    {
        // The empty builder brings no configuration files, no logging and no console: start-up is a matter of
        // milliseconds.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
            kestrel.Listen(options.Address, options.Port);
        });
        WebApplication application = builder.Build();
        RequestHandler handler = new(
            model, options, log is null ? TextWriter.Null : TextWriter.Synchronized(log), time ?? TimeProvider.System);
        application.Run(handler.HandleAsync);
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        IServer server = application.Services.GetRequiredService<IServer>();
        string address = server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new TesseraServer(application, new Uri(address));
    }

    /// <summary>
    /// Takes no more requests, and waits until those in progress have ended or the token is cancelled.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => _application.StopAsync(cancellationToken);

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }
}
