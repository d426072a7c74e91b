namespace Tessera.Models.ChatTemplates;

/// <summary>Counts the steps and characters of one rendering, and ends it when they are spent.</summary>
internal sealed class Budget(ChatTemplateLimits limits)
{
    private const int CharactersPerStep = 16;

    private int _left = limits.Steps;

    /// <summary>Spends steps.</summary>
    public void Spend(int steps = 1)
    {
        _left -= steps;
        if (_left < 0)
        {
            throw new TemplateError($"more than {limits.Steps} steps");
        }
    }

    /// <summary>Spends what a text of some characters costs, before it is made.</summary>
    public void SpendText(long characters) => SpendText(characters, characters);

    /// <summary>Spends what it costs to append some characters to a text that will have so many.</summary>
    public void SpendText(long characters, long appended)
    {
        if (characters > limits.Characters)
        {
            throw new TemplateError($"a text of {characters} characters, wanted at most {limits.Characters}");
        }

        Spend(1 + (int)(appended / CharactersPerStep));
    }
}
