namespace Tessera.Tidy.Tests;

/// <summary>
/// The known breaches, one a line: rule, path, how many there are, and the reason. A file may have no more than stand
/// here, and no fewer either: a line must be lowered or removed with the breach, so that the list only shrinks.
/// </summary>
internal sealed class ExceptionList
{
    private readonly Dictionary<(string Rule, string Path), int> _allowed = [];

    private ExceptionList()
    {
    }

    /// <summary>Reads the list; a line that is malformed, doubled or without a reason is an error.</summary>
    public static ExceptionList Parse(string text, IReadOnlySet<string> rules)
    {
        ExceptionList list = new();
        foreach ((int number, string line) in text.Split('\n').Index())
        {
            if (line.Trim().Length == 0 || line.StartsWith('#'))
            {
                continue;
            }

            string[] parts = line.Trim().Split(' ', 4, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length < 4 || !rules.Contains(parts[0]) || !int.TryParse(parts[2], out int count) || count < 1
                || !list._allowed.TryAdd((parts[0], parts[1]), count))
            {
                throw new FormatException(
                    $"exceptions.txt:{number + 1}: '{line}' is not 'rule path count reason', once for a rule and path");
            }
        }

        return list;
    }

    /// <summary>
    /// Returns what is wrong: every finding of a file that has more than the list says, and every line that says more
    /// than there are.
    /// </summary>
    public IReadOnlyList<string> Judge(string rule, IEnumerable<Finding> findings)
    {
        List<string> wrong = [];
        ILookup<string, Finding> byPath = findings.ToLookup(finding => finding.Path);
        foreach (IGrouping<string, Finding> file in byPath)
        {
            int allowed = _allowed.GetValueOrDefault((rule, file.Key));
            if (file.Count() > allowed)
            {
                wrong.AddRange(file.Select(finding => finding.ToString()));
            }
        }

        foreach (((string Rule, string Path) key, int allowed) in _allowed)
        {
            int count = byPath[key.Path].Count();
            if (key.Rule == rule && count < allowed)
            {
                wrong.Add($"exceptions.txt: '{rule} {key.Path} {allowed}': {count} are left; lower or remove the line");
            }
        }

        return wrong;
    }
}
