using System.Diagnostics.CodeAnalysis;

namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Holds values by key in the order in which the keys came, as Python's dict does; also the attributes of a namespace.
/// </summary>
internal sealed class Map
{
    private readonly Dictionary<object, int> _index = [];
    private readonly List<(object? Key, object? Value)> _entries = [];

    /// <summary>Gets whether it is a namespace: its values are attributes, and a template may set them.</summary>
    public bool IsNamespace { get; init; }

    /// <summary>Gets the number of values.</summary>
    public int Count => _entries.Count;

    /// <summary>Gets keys and values in order.</summary>
    public IReadOnlyList<(object? Key, object? Value)> Entries => _entries;

    /// <summary>Sets a value.</summary>
    public void Set(object? key, object? value)
    {
        object normal = Normal(key);
        if (_index.TryGetValue(normal, out int at))
        {
            _entries[at] = (_entries[at].Key, value);
        }
        else
        {
            _index.Add(normal, _entries.Count);
            _entries.Add((key, value));
        }
    }

    /// <summary>Gets a value.</summary>
    public bool TryGet(object? key, out object? value)
    {
        bool found = _index.TryGetValue(Normal(key), out int at);
        value = found ? _entries[at].Value : null;
        return found;
    }

    /// <summary>Gets a value by a key that is a text.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out object? value)
    {
        bool found = _index.TryGetValue(key, out int at);
        value = found ? _entries[at].Value : null;
        return found && value is not null;
    }

    /// <summary>Returns whether there is a value for a key that is a text.</summary>
    public bool Has(string key) => _index.ContainsKey(key);

    // Keys that Python holds for equal are one key: True, 1 and 1.0.
    private static object Normal(object? key) => key switch
    {
        null => DBNull.Value,
        Text text => text.Value,
        bool flag => flag ? 1L : 0L,
        double number when number == Math.Floor(number) && Math.Abs(number) < 1e18 => (long)number,
        Sequence { Is: Sequence.Kind.Tuple } => throw new TemplateError("a tuple as a key is not supported"),
        Sequence or Map => throw new TemplateError($"unhashable type: '{PythonText.TypeName(key)}'"),
        _ => key,
    };
}
