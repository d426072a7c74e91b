using System.Globalization;
using System.Text.Json;
using Tessera.Models.ChatTemplates;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.ChatTemplates;

public sealed class ChatTemplateGoldenTests
{
    [Fact]
    public void EveryTemplateGivesItsTextsAndErrors()
    {
        using JsonDocument file = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path("goldens/chat_template_goldens.json")));
        JsonElement root = file.RootElement;
        List<string> problems = [];
        int compared = 0;
        foreach (JsonProperty results in root.GetProperty("results").EnumerateObject())
        {
            string path = SharedFiles.Path($"goldens/chat-templates/{results.Name}");
            ChatTemplate template = ChatTemplate.Parse(
                File.ReadAllText(path),
                results.Name,
                root.GetProperty("bos_token").GetString(),
                root.GetProperty("eos_token").GetString());
            foreach (JsonProperty result in results.Value.EnumerateObject())
            {
                ChatTemplateInputs inputs = Inputs(root, root.GetProperty("cases").GetProperty(result.Name));
                string? expected = result.Value.TryGetProperty("text", out JsonElement text) ? text.GetString() : null;
                string? actual = Render(template, inputs, expected is null);
                compared++;
                if (expected != actual)
                {
                    problems.Add($"{results.Name}, {result.Name}: {actual} instead of {expected ?? "an error"}");
                }
            }
        }

        Assert.True(compared > 0);
        Assert.True(problems.Count == 0, $"{problems.Count} of {compared}:\n{string.Join('\n', problems)}");
    }

    private static string? Render(ChatTemplate template, ChatTemplateInputs inputs, bool isError)
    {
        try
        {
            RenderedChat chat = template.Render(inputs);
            Assert.Equal(chat.Text, string.Concat(chat.Spans.Select(span => span.Text)));
            return chat.Text;
        }
        catch (ChatTemplateException error)
        {
            return isError ? null : error.Message;
        }
    }

    private static ChatTemplateInputs Inputs(JsonElement root, JsonElement given)
    {
        bool prompts = !given.TryGetProperty("add_generation_prompt", out JsonElement prompt) || prompt.GetBoolean();
        Dictionary<string, JsonElement> variables = [];
        foreach (JsonProperty property in given.EnumerateObject())
        {
            if (property.Name is not ("messages" or "tools" or "add_generation_prompt"))
            {
                variables[property.Name] = property.Value;
            }
        }

        return new ChatTemplateInputs
        {
            Messages = given.GetProperty("messages"),
            Tools = given.TryGetProperty("tools", out JsonElement tools) ? tools : null,
            AddGenerationPrompt = prompts,
            Now = DateTime.Parse(root.GetProperty("now").GetString()!, CultureInfo.InvariantCulture),
            Variables = variables,
        };
    }
}
