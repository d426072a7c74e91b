namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Holds the variables of a template, a loop's round or a macro's call, and leads to those around it.
/// </summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, object?> _variables = [];

    /// <summary>Sets a variable here, which hides one of the same name around.</summary>
    public void Set(string name, object? value) => _variables[name] = value;

    /// <summary>Returns a variable, from here or around; one that isn't there is undefined.</summary>
    public object? Get(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._variables.TryGetValue(name, out object? value))
            {
                return value;
            }
        }

        return new Undefined($"'{name}' is undefined");
    }

    private Scope? Outer => outer;
}
