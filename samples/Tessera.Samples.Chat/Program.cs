// Loads a model and streams its answer. Arguments: the model's folder, what to say.
using Microsoft.Extensions.AI;
using Tessera.Inference;

using ChatModel model = ChatModel.Load(args[0]);
using IChatClient client = new TesseraChatClient(model);

ChatOptions options = new() { MaxOutputTokens = 200, Seed = 1 };
await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(args[1], options))
{
    Console.Write(update.Text);
}

Console.WriteLine();
