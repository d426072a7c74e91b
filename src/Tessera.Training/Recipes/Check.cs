using System.Runtime.CompilerServices;

namespace Tessera.Training.Recipes;

/// <summary>Checks the values of recipes as they are set; written so that NaN fails.</summary>
internal static class Check
{
    public static int Within(int value, int least, int most, [CallerMemberName] string name = "") =>
        value >= least && value <= most ? value : throw Wrong(name, value, $"from {least} to {most}");

    public static long Within(long value, long least, long most, [CallerMemberName] string name = "") =>
        value >= least && value <= most ? value : throw Wrong(name, value, $"from {least} to {most}");

    public static double Within(double value, double least, double most, [CallerMemberName] string name = "") =>
        value >= least && value <= most ? value : throw Wrong(name, value, $"from {least:R} to {most:R}");

    public static int? Within(int? value, int least, int most, [CallerMemberName] string name = "") =>
        value is { } given ? Within(given, least, most, name) : null;

    public static long? Within(long? value, long least, long most, [CallerMemberName] string name = "") =>
        value is { } given ? Within(given, least, most, name) : null;

    public static double? Within(double? value, double least, double most, [CallerMemberName] string name = "") =>
        value is { } given ? Within(given, least, most, name) : null;

    public static string NotEmpty(string value, [CallerMemberName] string name = "") =>
        value.Length > 0 ? value : throw Wrong(name, "empty", "a text");

    public static ArgumentException Wrong(string name, object value, string wanted) =>
        new($"{RecipeNames.Key(name)} is {value}; it must be {wanted}");
}
