using Tessera.Tensors.Files;

namespace Tessera.Training.Data;

/// <summary>
/// Finds the files that a path of a recipe means: a file, all of a folder, or a glob with <c>*</c>, <c>?</c> and
/// <c>**</c>.
/// </summary>
public static class SourceFiles
{
    /// <summary>Returns full paths in an order that is the same on every machine.</summary>
    /// <param name="path">A file, a folder or a glob.</param>
    /// <param name="baseFolder">The folder that a relative path starts from; the working folder where null.</param>
    /// <exception cref="FileNotFoundException">Nothing is there that can be read.</exception>
    /// <exception cref="InvalidDataException">The path is empty, or the file is of another kind.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be entered or listed.</exception>
    public static IReadOnlyList<string> Find(string path, string? baseFolder = null)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            string shown = path.Replace("\0", "\\0", StringComparison.Ordinal);
            throw new InvalidDataException($"data: \"{shown}\" names no file");
        }

        string full = baseFolder is null ? Path.GetFullPath(path) : Path.GetFullPath(path, baseFolder);
        if (File.Exists(full))
        {
            return DocumentReader.CanRead(full)
                ? [full]
                : throw new InvalidDataException(
                    $"{path}: a source ends in .txt, .md or .jsonl, with or without .gz; "
                    + $"this ends in \"{Path.GetExtension(full)}\"");
        }

        List<string> found = Directory.Exists(full) ? InFolder(full) : Matching(full);
        if (found.Count == 0)
        {
            HiddenPath.ThrowIfHidden(full);
            string what = Directory.Exists(full) ? "the folder holds no .txt, .md or .jsonl file" : "no file is there";
            throw new FileNotFoundException($"{path}: {what} (looked at {full})", full);
        }

        found.Sort(string.CompareOrdinal);
        return found;
    }

    /// <summary>
    /// Returns whether a path matches a glob: <c>*</c> and <c>?</c> stay within a name, <c>**</c> spans folders.
    /// </summary>
    internal static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> path)
    {
        if (pattern.IsEmpty)
        {
            return path.IsEmpty;
        }

        if (pattern.StartsWith("**/"))
        {
            for (int i = 0; i >= 0 && i <= path.Length; i = NextFolder(path, i))
            {
                if (Matches(pattern[3..], path[i..]))
                {
                    return true;
                }
            }

            return false;
        }

        if (pattern[0] == '*')
        {
            while (pattern.Length > 0 && pattern[0] == '*')
            {
                pattern = pattern[1..];
            }

            for (int i = 0; i <= path.Length; i++)
            {
                if (Matches(pattern, path[i..]))
                {
                    return true;
                }

                if (i < path.Length && path[i] == '/')
                {
                    return false;
                }
            }

            return false;
        }

        return !path.IsEmpty && (pattern[0] == '?' ? path[0] != '/' : pattern[0] == path[0])
            && Matches(pattern[1..], path[1..]);
    }

    private static int NextFolder(ReadOnlySpan<char> path, int from)
    {
        int slash = path[from..].IndexOf('/');
        return slash < 0 ? -1 : from + slash + 1;
    }

    private static List<string> InFolder(string folder)
    {
        EnumerationOptions options = new() { RecurseSubdirectories = true, IgnoreInaccessible = false };
        return [.. Directory.EnumerateFiles(folder, "*", options).Where(DocumentReader.CanRead)];
    }

    private static List<string> Matching(string full)
    {
        string pattern = full.Replace('\\', '/');
        int star = pattern.AsSpan().IndexOfAny('*', '?');
        if (star < 0)
        {
            return [];
        }

        // The folders before the first star are known; the search starts there.
        string root = pattern[..(pattern.LastIndexOf('/', star) + 1)];
        return Directory.Exists(root)
            ? [.. InFolder(root).Where(file => Matches(pattern, file.Replace('\\', '/')))]
            : [];
    }
}
