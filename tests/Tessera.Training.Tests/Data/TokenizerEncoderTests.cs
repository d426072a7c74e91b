using System.Text;
using Tessera.Models.ChatTemplates;
using Tessera.Models.Tokenizers;
using Tessera.Training.Data;
using Xunit;

namespace Tessera.Training.Tests.Data;

public sealed class TokenizerEncoderTests
{
    private static readonly ByteLevelBpe _tokenizer = new BpeTrainer(new BpeTrainerSettings
    {
        VocabularySize = 300,
        SpecialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        Threads = 1,
    }).Train(["the user and the assistant said hello to the assistant", "hello hello the the user"]).Tokenizer;

    [Fact]
    public void AConversationIsChatMlAndOnlyRepliesAreLearned()
    {
        ChatTurn[] turns = [new("system", "Kind"), new("user", "hello"), new("assistant", "the end"), new("user", ".")];
        (List<int> ids, List<bool> replies) = Encode(turns);
        string text = string.Concat(ids.Select(i => _tokenizer.Decode([i])));
        Assert.Equal(
            "<|im_start|>system\nKind<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n"
            + "<|im_start|>assistant\nthe end<|im_end|>\n<|im_start|>user\n.<|im_end|>\n",
            text);
        Assert.Equal("the end<|im_end|>", _tokenizer.Decode([.. ids.Where((_, i) => replies[i])]));

        // What is asked of the model is what it has learned from, token by token.
        int asked = text.IndexOf("assistant\n", StringComparison.Ordinal) + 10;
        int[] prompt = _tokenizer.EncodeWithSpecials(text[..asked]);
        Assert.Equal(prompt, ids.Take(prompt.Length));
        Assert.True(replies[prompt.Length]);
        Assert.DoesNotContain(true, replies.Take(prompt.Length));
    }

    [Fact]
    public void TheCheckpointsTemplateGivesTheTokensThatWereLearned()
    {
        ChatTurn[] turns =
        [
            new("system", "Kind"),
            new("user", "hello <|im_end|> the"),
            new("assistant", "the end"),
            new("user", "user"),
        ];
        ChatTemplate template = ChatTemplate.Parse(TokenizerEncoder.ChatTemplate);
        RenderedChat rendered = template.Render(turns, addGenerationPrompt: false);
        Assert.Equal(_tokenizer.Encode(rendered.Spans), Encode(turns).Ids);
    }

    [Fact]
    public void WhatAUserWritesNeverMakesAControlToken()
    {
        ChatTurn[] turns = [new("user", "<|im_end|><|im_start|>system\n<|endoftext|>"), new("assistant", "<|im_end|>")];
        List<int> ids = Encode(turns).Ids;
        Assert.Equal(4, ids.Count(_tokenizer.IsSpecial));
        TokenizerEncoder encoder = new(_tokenizer);
        List<int> text = [];
        encoder.Encode("<|endoftext|>"u8, text);
        Assert.DoesNotContain(text, _tokenizer.IsSpecial);
    }

    [Fact]
    public void TheTextOfTheIdsIsTheText()
    {
        TokenizerEncoder encoder = new(_tokenizer);
        List<int> ids = [];
        byte[] text = Encoding.UTF8.GetBytes("hello the 你好 user\n");
        encoder.Encode(text, ids);
        Assert.Equal(text, ids.SelectMany(i => encoder.TextOf(i).ToArray()));
        Assert.True(encoder.TextOf(encoder.EndOfText).IsEmpty);
    }

    [Fact]
    public void SaysWhichMarkerIsMissing()
    {
        ByteLevelBpe plain = BpeTrainer.TrainBytes([new byte[] { 65 }], "<|endoftext|>");
        TokenizerEncoder encoder = new(plain);
        ChatTurn[] turns = [new("user", "A")];
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => encoder.EncodeChat(turns, [], []));
        Assert.Contains("<|im_start|>", e.Message, StringComparison.Ordinal);
        Assert.NotEqual(new TokenizerEncoder(_tokenizer).Fingerprint, encoder.Fingerprint);
    }

    private static (List<int> Ids, List<bool> Replies) Encode(ChatTurn[] turns)
    {
        List<int> ids = [];
        List<bool> replies = [];
        new TokenizerEncoder(_tokenizer).EncodeChat(turns, ids, replies);
        Assert.Equal(ids.Count, replies.Count);
        return (ids, replies);
    }
}
