using Tessera.Testing;
using Tessera.Tidy.Tests.Rules;
using Tessera.Tidy.Tests.Source;
using Xunit;

namespace Tessera.Tidy.Tests;

public sealed class RuleTests
{
    private static readonly IRule[] _all =
    [
        new ProjectReferences(), new PackageUse(), new FolderDirection(), new FileLength(), new FunctionLength(),
        new LineWidth(), new BannedCalls(), new LeftoverMarks(), new OnePublicType(), new PublicSummary(),
        new EmptyCatch(), new SkipReason(), new FileSizes(), new PrivatePlaces(), new DocumentPaths(),
    ];

    public static TheoryData<string> Names => [.. _all.Select(rule => rule.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheRepositoryKeepsTheRule(string name)
    {
        string path = Path.Combine(SharedFiles.RepositoryRoot, "tests", "Tessera.Tidy.Tests", "exceptions.txt");
        ExceptionList exceptions = ExceptionList.Parse(
            File.ReadAllText(path), _all.Select(rule => rule.Name).ToHashSet());
        IReadOnlyList<string> wrong = exceptions.Judge(name, Rule(name).Check(Repository.Ours));
        Assert.True(wrong.Count == 0, $"{name}:\n{string.Join('\n', wrong)}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EachPlantedViolationIsFound(string name)
    {
        Repository[] planted = [.. Rule(name).Violations()];
        Assert.NotEmpty(planted);
        foreach (Repository repository in planted)
        {
            Assert.True(Rule(name).Check(repository).Any(), $"{name} finds nothing in:\n{Text(repository)}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void WhatComesCloseIsNotFound(string name)
    {
        Repository[] near = [.. Rule(name).NearMisses()];
        Assert.NotEmpty(near);
        foreach (Repository repository in near)
        {
            Assert.True(!Rule(name).Check(repository).Any(),
                $"{name} finds {string.Join('\n', Rule(name).Check(repository))} in:\n{Text(repository)}");
        }
    }

    [Fact]
    public void EveryRuleIsHere() => Assert.Equal(
        typeof(IRule).Assembly.GetTypes().Count(type => type.IsClass && type.IsAssignableTo(typeof(IRule))),
        _all.Length);

    [Fact]
    public void TheRepositoryWasFound()
    {
        Assert.Contains(Repository.Ours.Files, file => file.Path == "Tessera.slnx");
        Assert.Contains(Repository.Ours.Files, file => file.Path == "src/Tessera.Tensors/Tensor.cs");
    }

    private static IRule Rule(string name) => _all.Single(rule => rule.Name == name);

    private static string Text(Repository repository) =>
        string.Join('\n', repository.Files.Select(file => $"{file.Path}:\n{file.Text}"));
}
