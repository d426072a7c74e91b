using System.Text.Json;

namespace Tessera.Training.Recipes;

/// <summary>Knows how names of ours are written in a recipe, and which known one a wrong one was meant to be.</summary>
internal static class RecipeNames
{
    /// <summary>Returns the name as a recipe writes it: <c>LearningRate</c> is <c>learning_rate</c>.</summary>
    public static string Key(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    /// <summary>
    /// Returns the candidate that the fewest insertions, deletions, changes and swaps of neighbours lead to.
    /// </summary>
    public static string Nearest(string word, IEnumerable<string> candidates) =>
        candidates.OrderBy(c => Distance(word, c)).ThenBy(c => c, StringComparer.Ordinal).First();

    /// <summary>Returns the optimal string alignment distance (Damerau 1964), case aside.</summary>
    public static int Distance(string a, string b)
    {
        (a, b) = (a.ToLowerInvariant(), b.ToLowerInvariant());
        int[,] distance = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                distance[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(
                        Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1,
                        distance[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
                }
            }
        }

        return distance[a.Length, b.Length];
    }
}
