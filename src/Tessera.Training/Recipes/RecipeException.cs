namespace Tessera.Training.Recipes;

/// <summary>Says what is wrong with a recipe and where.</summary>
public sealed class RecipeException : Exception
{
    /// <summary>Makes the error.</summary>
    public RecipeException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the error with what it comes from.</summary>
    public RecipeException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Makes an error without a message.</summary>
    public RecipeException()
    {
    }
}
