namespace Tessera.Models.ChatTemplates;

/// <summary>Holds the arguments of a call, a filter or a test, and takes them one by one by place or by name.</summary>
internal sealed class Arguments(string callee, List<object?> positional, List<(string Name, object? Value)> named)
{
    /// <summary>No arguments.</summary>
    public static Arguments None(string callee) => new(callee, [], []);

    /// <summary>Gets the arguments by place.</summary>
    public List<object?> Positional => positional;

    /// <summary>Gets the arguments by name.</summary>
    public List<(string Name, object? Value)> Named => named;

    /// <summary>Returns an argument, or a default where it is absent.</summary>
    public object? Get(int place, string name, object? usual = null)
    {
        if (place < positional.Count)
        {
            return positional[place];
        }

        foreach ((string given, object? value) in named)
        {
            if (given == name)
            {
                return value;
            }
        }

        return usual;
    }

    /// <summary>Returns an argument that must be there.</summary>
    public object? Required(int place, string name) =>
        place < positional.Count || named.Exists(argument => argument.Name == name)
            ? Get(place, name)
            : throw new TemplateError($"{callee}: the argument {name} is absent");

    /// <summary>Returns an argument that must be a text.</summary>
    public Text Text(int place, string name) => Required(place, name) as Text
        ?? throw new TemplateError($"{callee}: {name} is {PythonText.TypeName(Get(place, name))}, wanted a text");

    /// <summary>Returns an argument that must be a text, or null where it is absent or None.</summary>
    public Text? TextOrNull(int place, string name) => Get(place, name) is null ? null : Text(place, name);

    /// <summary>Returns an argument that must be a whole number.</summary>
    public int Number(int place, string name, int usual) => Get(place, name, (long)usual) switch
    {
        long number when number is > int.MinValue and < int.MaxValue => (int)number,
        bool flag => flag ? 1 : 0,
        object other => throw new TemplateError(
            $"{callee}: {name} is {PythonText.TypeName(other)}, wanted a whole number"),
        null => usual,
    };

    /// <summary>Checks that no argument is left over.</summary>
    public void AtMost(int count, params ReadOnlySpan<string> names)
    {
        if (positional.Count > count)
        {
            throw new TemplateError($"{callee}: {positional.Count} arguments, wanted at most {count}");
        }

        foreach ((string name, _) in named)
        {
            if (!names.Contains(name))
            {
                throw new TemplateError($"{callee}: no argument is named {name}");
            }
        }
    }
}
