using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests;

/// <summary>A rule that the whole repository keeps.</summary>
internal interface IRule
{
    /// <summary>Gets the name by which exceptions.txt calls the rule.</summary>
    string Name { get; }

    /// <summary>Returns every place that breaks it.</summary>
    IEnumerable<Finding> Check(Repository repository);

    /// <summary>
    /// Returns samples that each break the rule at least once, so that a rule that finds nothing is noticed.
    /// </summary>
    IEnumerable<Repository> Violations();

    /// <summary>Returns samples that come close to breaking it and don't.</summary>
    IEnumerable<Repository> NearMisses();
}
