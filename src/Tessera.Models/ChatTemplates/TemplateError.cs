namespace Tessera.Models.ChatTemplates;

/// <summary>Carries a problem from where no line is known to the evaluator, which knows it.</summary>
internal sealed class TemplateError(string problem) : Exception(problem);
