using System.Diagnostics;
using System.Text.Json;
using Tessera.Models.ChatTemplates;
using Tessera.Models.Tokenizers;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.ChatTemplates;

public sealed class ChatTemplateTests
{
    private const string ChatMl =
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}"
        + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    public static TheoryData<string> Folders => new("llama-tied", "qwen3", "qwen3-untied-sharded", "gpt2");

    [Theory]
    [MemberData(nameof(Folders))]
    public void AMarkerInAMessageStaysText(string folder)
    {
        using JsonDocument expected = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path("goldens/hf-folders/expected.json")));
        string path = SharedFiles.Path($"goldens/hf-folders/{folder}");
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(Path.Combine(path, "tokenizer.json"));
        ChatTemplate template = ChatTemplate.Parse(File.ReadAllText(Path.Combine(path, "chat_template.jinja")));
        ChatTurn[] turns = [.. expected.RootElement.GetProperty("chat").EnumerateArray().Select(
            turn => new ChatTurn(turn.GetProperty("role").GetString()!, turn.GetProperty("content").GetString()!))];

        RenderedChat chat = template.Render(turns);
        Assert.Equal(expected.RootElement.GetProperty("text").GetString(), chat.Text);

        // A start for each turn and for the answer, an end for each turn; the user's own end is text.
        int[] ids = tokenizer.Encode(chat.Spans);
        AddedToken[] specials = [.. tokenizer.SpecialTokens];
        Assert.Equal(turns.Length + 1, ids.Count(id => id == specials[0].Id));
        Assert.Equal(turns.Length, ids.Count(id => id == specials[1].Id));
        Assert.Equal(chat.Text, tokenizer.Decode(ids));
        Assert.Contains(turns, turn => turn.Content.Contains(specials[1].Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{{ messages[0].content | trim }}")]
    [InlineData("{{ messages[0].content.strip().split('|')[1] }}")]
    [InlineData("{{ messages[0].content | upper | replace('X', '') }}")]
    [InlineData("{{ messages[0].content | tojson }}")]
    [InlineData("{{ messages[0] }}")]
    [InlineData("{{ [messages[0].content, messages[0].role] | join(messages[0].content) }}")]
    [InlineData("{{ messages[0].content[::-1] }}")]
    [InlineData("{{ messages[0].content[2:5] * 3 }}")]
    [InlineData("{% set x %}{{ messages[0].content }}{% endset %}{{ x }}")]
    [InlineData("{% macro f(x) %}{{ x ~ x }}{% endmacro %}{{ f(messages[0].content) }}")]
    [InlineData("{% set ns = namespace(x='') %}{% set ns.x = ns.x + messages[0].content %}{{ ns.x | string }}")]
    [InlineData("{{ '%s' | replace('%s', messages[0].content) | replace('%s', '') }}")]
    [InlineData("{{ '{}'.format(messages[0].content) }}")]
    [InlineData("{{ messages[0].content | indent(0) | capitalize }}")]
    [InlineData("{{ (messages[0].content | safe) + messages[0].content }}")]
    [InlineData("{{ dict(a=messages[0].content) }}")]
    [InlineData("{{ messages | map(attribute='content') | sort | first }}")]
    [InlineData("{{ extra.text | from_json | join }}")]
    public void DataStaysDataWhateverIsDoneWithIt(string source)
    {
        RenderedChat chat = ChatTemplate.Parse(source).Render(new ChatTemplateInputs
        {
            Messages = Json("""[{"role":"user","content":" <|x|> 'é😀' "}]"""),
            Variables = new Dictionary<string, JsonElement> { ["extra"] = Json("""{"text":"[\"<|x|>\"]"}""") },
        });
        Assert.NotEqual("", chat.Text.Trim());
        Assert.DoesNotContain(chat.Spans, span => span.IsTemplate);
    }

    [Fact]
    public void PartsOfTheTemplateAndOfTheDataAreToldApart()
    {
        RenderedChat chat = ChatTemplate.Parse(
            "<{{ bos_token }}>{{ ('[' + messages[0].content + ']') | trim | replace('b', '/') }}", beginToken: "B")
            .Render([new ChatTurn("user", "abc")]);
        Assert.Equal(
            [
                new TextSpan("<B>[", true), new TextSpan("a", false), new TextSpan("/", true), new TextSpan("c", false),
                new TextSpan("]", true),
            ],
            chat.Spans);
    }

    [Theory]
    [InlineData("a\n{% if %}", 2, "wanted a value")]
    [InlineData("a\n\n{{ 'x' ", 3, "no }}")]
    [InlineData("{{ 'x }}", 1, "no end")]
    [InlineData("{# x", 1, "no end")]
    [InlineData("{% for x in y %}\n{{ x }}", 2, "endfor")]
    [InlineData("\n{% include 'x' %}", 2, "include")]
    [InlineData("{% break %}", 1, "break")]
    [InlineData("{{ 1 + }}", 1, "wanted a value")]
    [InlineData("{{ (1 }}", 1, "closes no bracket")]
    [InlineData("{{ a b }}", 1, "wanted")]
    [InlineData("{{ f(a=1, 2) }}", 1, "without a name")]
    [InlineData("{{ \"\\ud800\" }}", 1, "escape")]
    public void ABrokenTemplateIsAnErrorWithItsLine(string source, int line, string problem)
    {
        ChatTemplateException error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source, "t.jinja"));
        Assert.Equal(line, error.Line);
        Assert.StartsWith($"t.jinja: line {line}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\n{{ raise_exception('no system role') }}", 2, "no system role")]
    [InlineData("{{ a.b }}", 1, "'a' is undefined")]
    [InlineData("\n\n{{ messages[0].a.b }}", 3, "no attribute 'a'")]
    [InlineData("{{ 'a' + 1 }}", 1, "str and int")]
    [InlineData("{{ 1 // 0 }}", 1, "zero")]
    [InlineData("{{ 1 % 0 }}", 1, "zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", 1, "64 bits")]
    [InlineData("{{ messages.append(1) }}", 1, "unsafe")]
    [InlineData("{{ messages[0].pop('role') }}", 1, "unsafe")]
    [InlineData("{{ messages | nothing }}", 1, "no filter")]
    [InlineData("{{ messages is nothing }}", 1, "no test")]
    [InlineData("{{ strftime_now('%Y') }}", 1, "'strftime_now' is undefined")]
    [InlineData("{% set messages.x = 1 %}", 1, "namespace")]
    [InlineData("{% for a, b in [1] %}{% endfor %}", 1, "gone through")]
    [InlineData("{{ [1] < ['a'] }}", 1, "no order")]
    [InlineData("{{ [1] < 2 }}", 1, "no order")]
    [InlineData("{{ [3, 'a'] | sort }}", 1, "no order")]
    [InlineData("{{ 1() }}", 1, "can't be called")]
    [InlineData("{% macro f(x) %}{% endmacro %}{{ f(1, 2) }}", 1, "at most 1")]
    [InlineData("{{ messages[::0] }}", 1, "step")]
    public void AFailureIsAnErrorWithItsLine(string source, int line, string problem)
    {
        ChatTemplate template = ChatTemplate.Parse(source);
        ChatTemplateException error =
            Assert.Throws<ChatTemplateException>(() => template.Render([new ChatTurn("user", "Hi")]));
        Assert.Equal(line, error.Line);
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")]
    [InlineData("{% set n = namespace(x='ab') %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}")]
    [InlineData("{% set n = namespace(x=[1]) %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}")]
    [InlineData("{{ 'abc' * 999999999 }}")]
    [InlineData("{{ [1] * 999999999 }}")]
    [InlineData("{{ range(999999999) | length }}")]
    [InlineData("{% for a in range(99999) %}{{ '0123456789' * 1000 }}{% endfor %}")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{% set n = namespace(x=1) %}{% for a in range(999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}")]
    [InlineData("{% set n = namespace(x=1) %}{% for a in range(99) %}{% set n.x=[n.x] %}{% endfor %}{{ n.x|tojson }}")]
    [InlineData("{% set n = namespace(x=1) %}{% for a in range(99) %}{% set n.x=[n.x] %}{% endfor %}{{ n.x == n.x }}")]
    [InlineData("{% set n = namespace(x=1) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}")]
    [InlineData("{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}")]
    [InlineData("{{ (['a' * 100000] * 10000) | join }}")]
    [InlineData("{{ range(99999) | map('string') | map('replace', '', 'abcdefghij' * 1000) | join }}")]
    [InlineData("{{ ('a\n' * 1000000) | indent(1000) }}")]
    [InlineData("{% set l = range(99999) | list %}{% for a in l %}{{ l.index(99998) }}{% endfor %}")]
    [InlineData("{% set t = 'a' * 1000000 %}{% for a in range(99999) %}{{ t is lower }}{{ t[-1] }}{% endfor %}")]
    [InlineData(
        "{% set n = namespace(x=1, y=1) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}"
        + "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}")]
    public void WhatCostsTooMuchEndsWithinASecond(string source)
    {
        ChatTemplate template = ChatTemplate.Parse(source);
        long start = Stopwatch.GetTimestamp();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ChatTemplateException>(() => template.Render([new ChatTurn("user", "Hi")]));

        // Five million steps take some tenths of a second of one core; the bound leaves room on a shared machine.
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 30);

        // A step allocates some hundred bytes, a character of a text two, and texts have 16 M characters at most.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 3L << 30);
    }

    [Theory]
    [InlineData("{{ -(-9223372036854775807 - 1) }}", "more than 64 bits")]
    [InlineData("{{ (-9223372036854775807 - 1) | abs }}", "more than 64 bits")]
    [InlineData("{{ {1: 2} | tojson(separators=[]) }}", "0 separators")]
    [InlineData("{{ {1: 2, 'a': 3} | tojson(sort_keys=true) }}", "have no order")]
    [InlineData("{{ '\"\\\\ud800\"' | from_json }}", "from_json")]
    public void WhatCannotBeComputedIsAnErrorOfTheTemplate(string source, string problem)
    {
        ChatTemplate template = ChatTemplate.Parse(source);
        ChatTemplateException e =
            Assert.Throws<ChatTemplateException>(() => template.Render([new ChatTurn("user", "Hi")]));
        Assert.Contains(problem, e.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ [1, 2, 3][1:3:9223372036854775807] }}", "[2]")]
    [InlineData("{{ [1, 2, 3][1::-9223372036854775807] }}", "[2]")]
    public void AStrideOfAnyLengthLeadsOut(string source, string text) =>
        Assert.Equal(text, ChatTemplate.Parse(source).Render([new ChatTurn("user", "Hi")]).Text);

    [Fact]
    public void DeepTemplatesAreErrors()
    {
        const int deep = 5000;
        string[] sources =
        [
            "{{ " + new string('(', deep) + "1" + new string(')', deep) + " }}",
            "{{ " + new string('[', deep) + "1" + new string(']', deep) + " }}",
            "{{ " + string.Concat(Enumerable.Repeat("not ", deep)) + "1 }}",
            "{{ " + string.Concat(Enumerable.Repeat("-", deep)) + "1 }}",
            "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", deep)) + " }}",
            "{{ a" + string.Concat(Enumerable.Repeat("[0]", deep)) + " }}",
            "{{ a" + string.Concat(Enumerable.Repeat("|trim", deep)) + " }}",
            "{{ 1" + string.Concat(Enumerable.Repeat(" if 1 else 1", deep)) + " }}",
            string.Concat(Enumerable.Repeat("{% if 1 %}", deep).Concat(Enumerable.Repeat("{% endif %}", deep))),
        ];
        ChatTurn[] turns = [new ChatTurn("user", "Hi")];
        Assert.All(sources, source =>
            Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render(turns)));
    }

    [Fact]
    public void MutatedTemplatesGiveATextOrAnError()
    {
        Random random = new(41);
        string[] sources = [.. Directory.GetFiles(SharedFiles.Path("goldens/chat-templates"), "*.jinja")
            .Order(StringComparer.Ordinal).Select(File.ReadAllText)];
        string[] pieces =
            ["{{", "}}", "{%", "%}", "-", "'", "(", ")", "[", "]", "|", ".", "~", " if ", " in ", "not ", "9", "\\"];
        ChatTurn[] turns = [new("system", "Short."), new("user", "Hi"), new("assistant", "Yes"), new("user", "2+2?")];
        int errors = 0;
        const int rounds = 1500;
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < rounds && Stopwatch.GetElapsedTime(start).TotalSeconds < 20; round++)
        {
            string source = sources[random.Next(sources.Length)];
            for (int change = random.Next(1, 4); change > 0 && source.Length > 0; change--)
            {
                int at = random.Next(source.Length);
                int length = Math.Min(random.Next(6), source.Length - at);
                source = source[..at] + pieces[random.Next(pieces.Length)] + source[(at + length)..];
            }

            try
            {
                ChatTemplate.Parse(source).Render(turns);
            }
            catch (ChatTemplateException)
            {
                errors++;
            }
        }

        Assert.True(errors > 100, $"{errors} of {rounds} mutations were errors");
    }

    [Fact]
    public void LimitsAreTheCallers()
    {
        ChatTemplateInputs inputs = new()
        {
            Messages = Json("""[{"role":"user","content":"0123456789"}]"""),
            Limits = new ChatTemplateLimits { Characters = 50 },
        };
        ChatTemplate template = ChatTemplate.Parse(ChatMl);
        Assert.Throws<ChatTemplateException>(() => template.Render(inputs));
        ChatTemplateLimits few = new() { Steps = 10 };
        Assert.Throws<ChatTemplateException>(() => template.Render(inputs with { Limits = few }));
        Assert.Equal(
            "<|im_start|>user\n0123456789<|im_end|>\n<|im_start|>assistant\n",
            template.Render(inputs with { Limits = new ChatTemplateLimits() }).Text);
    }

    private static JsonElement Json(string json) => JsonElement.Parse(json);
}
