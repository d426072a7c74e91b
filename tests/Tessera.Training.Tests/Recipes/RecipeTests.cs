using Tessera.Models;
using Tessera.Models.Tokenizers;
using Tessera.Testing;
using Tessera.Training.Data;
using Tessera.Training.Optimizers;
using Tessera.Training.Recipes;
using Xunit;

namespace Tessera.Training.Tests.Recipes;

public sealed class RecipeTests
{
    private const string Small = """
        name: small
        model:
          layers: 2
          width: 64
          heads: 4
        data:
          sources: [a.txt, "b/*.jsonl"]
        training:
          steps: 10
        """;

    private static readonly string _folder = Path.Combine(SharedFiles.RepositoryRoot, "recipes");

    public static TheoryData<string> RecipesOfTheRepository =>
        [.. Directory.GetFiles(_folder, "*.yaml").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(RecipesOfTheRepository))]
    public void EveryRecipeOfTheRepositoryIsReadAndReadAgainAsItWasWritten(string name)
    {
        Recipe recipe = RecipeReader.Load(Path.Combine(_folder, name));
        Assert.Equal(Path.GetFileNameWithoutExtension(name), recipe.Name);
        string written = RecipeWriter.Write(recipe);
        Assert.Equal(written, RecipeWriter.Write(RecipeReader.Read(written, "written", "/elsewhere")));
    }

    [Fact]
    public void TheBaselineHasTheSizeOfTheRunItIsComparedWith()
    {
        Recipe recipe = RecipeReader.Load(Path.Combine(_folder, "baseline-nano.yaml"));
        Budget budget = Budget.Of(recipe, recipe.Tokenizer.Vocabulary, []);

        // notes/training.md: 6,163,712 parameters, 20.48 M tokens.
        Assert.Equal((6_163_712, 20_480_000), (budget.Parameters, budget.Tokens));
        Assert.Equal(DocumentMode.Across, recipe.Stages[0].Data.Documents);
    }

    [Fact]
    public void TheGuideNamesEveryKey()
    {
        string guide = File.ReadAllText(Path.Combine(SharedFiles.RepositoryRoot, "docs", "guides", "add-a-recipe.md"));
        Type[] sections = [typeof(Recipe), typeof(SourceRecipe), typeof(HeldOutRecipe), typeof(StageRecipe)];
        IEnumerable<Type> all = sections.Concat(RecipeBinder.Keys(typeof(Recipe)).Values.Select(p => p.PropertyType))
            .Where(t => t.Namespace == typeof(Recipe).Namespace);
        string[] missing = [.. all.SelectMany(t => RecipeBinder.Keys(t).Keys)
            .Where(k => !guide.Contains($"`{k}`", StringComparison.Ordinal)
                && !guide.Contains($".{k}`", StringComparison.Ordinal))];
        Assert.Empty(missing);
    }

    [Fact]
    public void PathsStartFromTheRecipesFolder() => Assert.Equal(
        ["/x/a.txt", "/x/b/*.jsonl"], RecipeReader.Read(Small, "r", "/x").Data.Sources.Select(s => s.Path));

    [Theory]
    [InlineData("modle: {}", "r.yaml:1: a recipe has no key \"modle\"; did you mean model?")]
    [InlineData("model: {layer: 3}", "model has no key \"layer\"; did you mean layers?")]
    [InlineData(
        "seed: 1\nlearning_rate: 1",
        "r.yaml:2: a recipe has no key \"learning_rate\"; did you mean training.learning_rate?")]
    [InlineData("training: {wamrup: 1}", "did you mean warmup?")]
    [InlineData("model: 3", "r.yaml:1: model is \"3\"; it must be a group of keys")]
    [InlineData("model: {layers: two}", "model.layers is \"two\"; it must be a whole number")]
    [InlineData("model: {layers: 2.5}", "model.layers is \"2.5\"; it must be a whole number")]
    [InlineData("model: {layers: 99999999999999999999}", "it must be a whole number")]
    [InlineData("model: {layers: 0}", "model.layers is 0; it must be from 1 to 1024")]
    [InlineData("model: {tied: yes}", "model.tied is \"yes\"; it must be true or false")]
    [InlineData("model: {layers: [1]}", "model.layers is a list")]
    [InlineData("training: {learning_rate: nan}", "training.learning_rate is NaN; it must be from 0 to 10")]
    [InlineData("training: {optimizer: adam}", "did you mean adamw?")]
    [InlineData("training: {schedule: cosinus}", "wsd, wsd_root, inverse_root (did you mean cosine?)")]
    [InlineData(
        "data: {sources: [{path: a.txt, wieght: 1}]}",
        "data.sources.0 has no key \"wieght\"; did you mean weight?")]
    [InlineData("model: {layers: 2\n", "r.yaml:")]
    [InlineData("- a", "r.yaml:1: a recipe is a list of 'key: value'")]
    [InlineData("training: {steps: 3G}", "training.steps is 3000000000; it must be from 1 to 2147483647")]
    [InlineData("a: &a [*a]", "r.yaml:")]
    [InlineData("seed: 1\nseed: 2", "r.yaml:2")]
    public void SaysWhatIsWrongAndWhere(string text, string message)
    {
        RecipeException e = Assert.Throws<RecipeException>(() => RecipeReader.Read(text, "r.yaml", "/x"));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training.steps", "", "training: state one of steps, tokens and passes")]
    [InlineData("training.tokens", "5", "state one of steps, tokens and passes, not 2 of them")]
    [InlineData("data.sources", "[]", "data: sources names no file")]
    [InlineData("model.width", "66", "width 66 can't be shared among 4 heads")]
    [InlineData("model.key_heads", "3", "4 heads can't be shared among 3 key_heads")]
    [InlineData("model.context", "100", "a sequence of 256 tokens is longer than model.context, 100")]
    [InlineData("data.sources", "[{path: a.txt, weight: 1}, b.txt]", "b.txt has no weight and others have")]
    [InlineData("tokenizer.control_tokens", "[]", "control_tokens must name at least one")]
    [InlineData("tokenizer.control_tokens", "[a, a]", "tokenizer: BpeTrainer: special token \"a\"")]
    [InlineData("tokenizer.vocabulary", "258", "tokenizer: BpeTrainer: vocabulary size 258, wanted 259")]
    [InlineData("training", "{tokens: 100000G}", "a stage has at most")]
    [InlineData("training", "{steps: 1, batch: 1M, sequence: 4k}", "4000000000 tokens a step; wanted at most")]
    [InlineData("model", "{family: gpt2, heads: 4, key_heads: 2}", "the heads of gpt2 share the width")]
    [InlineData("model", "{family: gpt2, heads: 4, head_size: 8}", "the heads of gpt2 share the width")]
    [InlineData("depth", "200", "depth is 200; it must be from 1 to 128")]
    public void SaysWhichValuesDoNotGoTogether(string key, string value, string message)
    {
        RecipeException e =
            Assert.Throws<RecipeException>(() => RecipeReader.Read(Small, "r", "/x", [$"{key}={value}"]));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SettingsGoBeforeTheFile()
    {
        Recipe recipe = RecipeReader.Read(
            Small,
            "r",
            "/x",
            [
                "training.steps=1_000",
                "training.batch=2k",
                "data.sources.1={path: c.md, loss: all}",
                "samples.prompts=[\"a, b\", c]",
                "training.optimizer=muon",
                "model.tied=false",
                "evaluation.held_out.0.path=h.txt",
            ]);
        Assert.Equal((1000L, 2000), (recipe.Training.Steps!.Value, recipe.Training.Batch));
        Assert.Equal(("/x/c.md", LossKind.All), (recipe.Data.Sources[1].Path, recipe.Data.Sources[1].Loss));
        Assert.Equal(["a, b", "c"], recipe.Samples.Prompts);
        Assert.Equal((OptimizerKind.Muon, false), (recipe.Training.Optimizer, recipe.Model.Tied));
        Assert.Equal("/x/h.txt", Assert.Single(recipe.Evaluation.HeldOut).Path);
    }

    [Theory]
    [InlineData("training.setps=5", "--set training.setps=5: training has no key \"setps\"; did you mean steps?")]
    [InlineData("training.steps=x", "--set training.steps=x: training.steps is \"x\"; it must be a whole number")]
    [InlineData("steps", "wanted key=value")]
    [InlineData("name.first=x", "name")]
    [InlineData("data.sources.7=x.txt", "\"7\" is no place in a list of 2")]
    public void SaysWhichSettingIsWrong(string setting, string message)
    {
        RecipeException e = Assert.Throws<RecipeException>(() => RecipeReader.Read(Small, "r", "/x", [setting]));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AStageHasWhatItDoesNotStateFromTheRecipe()
    {
        Recipe recipe = RecipeReader.Read(
            Small + """

            stages:
              - name: first
              - name: second
                training: {passes: 2, learning_rate: 1e-4}
                data: {sources: c.jsonl}
            """,
            "r",
            "/x");
        Assert.Equal(["first", "second"], recipe.Stages.Select(s => s.Name));
        Assert.Equal((10L, null), (recipe.Stages[0].Training.Steps, recipe.Stages[0].Training.Passes));
        TrainingRecipe second = recipe.Stages[1].Training;
        Assert.Equal((null, 2.0, 1e-4, 16), (second.Steps, second.Passes, second.LearningRate, second.Batch));
        Assert.Equal("/x/c.jsonl", Assert.Single(recipe.Stages[1].Data.Sources).Path);
        Assert.Equal(2, recipe.Stages[0].Data.Sources.Count);
    }

    [Fact]
    public void ASingleStageNeedsNoList()
    {
        Recipe recipe = RecipeReader.Read(Small + "\nstages: {name: only, training: {steps: 3}}", "r", "/x");
        StageRecipe stage = Assert.Single(recipe.Stages);
        Assert.Equal(("only", 3L), (stage.Name, stage.Training.Steps));
    }

    [Fact]
    public void ADialThatDoesNotGoWithTheModelIsSaid()
    {
        RecipeException e = Assert.Throws<RecipeException>(
            () => RecipeReader.OfTexts(["a.txt"], 4, "/x", ["model.heads=3"]));
        Assert.Contains("3 heads", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatNeverEndsIsRefused()
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "this system has no /dev/zero, which never ends");
        RecipeException e = Assert.Throws<RecipeException>(() => RecipeReader.Load("/dev/zero"));
        Assert.Contains("a recipe has at most", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(12)]
    [InlineData(20)]
    public void OneDialGivesAModelAndItsBudget(int depth)
    {
        Recipe recipe = RecipeReader.OfTexts(["mine.txt"], depth, "/x", ["training.warmup=7"]);
        Budget budget = Budget.Of(recipe, recipe.Tokenizer.Vocabulary, []);
        Assert.Equal((depth, 64 * depth, 7), (recipe.Model.Layers, recipe.Model.Width, recipe.Training.Warmup));

        // 20 tokens a parameter, rounded up to whole steps.
        Assert.InRange(budget.Tokens - (20 * budget.Parameters), 0, recipe.Training.TokensAStep);
        Assert.InRange(recipe.Training.StepsFor(0), 1000, 50_000);
        Assert.Equal("/x/mine.txt", Assert.Single(recipe.Data.Sources).Path);
    }

    [Fact]
    public void TheDialKnowsAModelThatIsStated()
    {
        Recipe narrow =
            RecipeReader.OfTexts(
                ["a.txt"],
                6,
                "/x",
                ["model.width=192", "model.heads=3", "model.key_heads=3", "tokenizer.vocabulary=512"]);
        Budget budget = Budget.Of(narrow, 512, []);
        Assert.InRange(budget.Tokens - (20 * budget.Parameters), 0, narrow.Training.TokensAStep);
        Assert.Equal(192, narrow.Model.Width);
        Assert.Equal(4, RecipeReader.OfTexts(["a.txt"], 4, "/x", ["model.family=gpt2"]).Model.KeyHeads);
        Assert.Equal(5, RecipeReader.OfTexts(["a.txt"], 6, "/x", ["training.steps=5"]).Training.StepsFor(0));
    }

    [Theory]
    [InlineData("qwen3", true)]
    [InlineData("qwen3", false)]
    [InlineData("llama", false)]
    [InlineData("gpt2", true)]
    public void TheModelOfARecipeHasTheParametersOfItsBudget(string family, bool tied)
    {
        Recipe recipe = RecipeReader.Read(
            Small, "r", "/x", [$"model.family={family}", $"model.tied={(tied ? "true" : "false")}"]);
        Transformer model = Transformer.Random(recipe.Model.ToConfig(300, recipe.Context, [0]), seed: 1);
        Budget budget = Budget.Of(recipe, 300, []);
        Assert.Equal(model.Parameters.All.Sum(p => p.Shape.Count), budget.Parameters);

        // What is looked up and not multiplied: the embedding, where the head is another matrix, and the positions.
        long looked = (tied ? 0 : 300 * 64) + (family == "gpt2" ? recipe.Context * 64 : 0);
        long matrices = model.Parameters.All.Where(p => p.Shape.Rank == 2).Sum(p => p.Shape.Count);
        Assert.Equal(matrices - looked, budget.MatrixParameters);
    }

    [Fact]
    public void TheFirstWeightsHaveTheRecipesDeviation()
    {
        Recipe recipe = RecipeReader.Read(Small, "r", "/x", ["model.initial_deviation=0.5"]);
        TokenizerEncoder encoder = new(BpeTrainer.TrainBytes(["text"u8.ToArray()], "<|endoftext|>"));
        Transformer model = ModelMaker.Create(recipe, encoder, Precision.Fp32);
        float[] weights = model.Parameters[ParameterKind.Up].Value.Span<float>().ToArray();

        // The deviation of n draws is off by 1/√(2n) of it; four times that is passed by one seed in 16,000.
        double deviation = Math.Sqrt(weights.Average(weight => (double)weight * weight));
        Assert.Equal(0.5, deviation, 4 * 0.5 / Math.Sqrt(2.0 * weights.Length));
    }

    [Fact]
    public void ABudgetIsSaidInWords()
    {
        Budget budget = new(6_163_712, 6_160_384, 20_480_000, 8.05e14);
        Assert.Equal("6.16 M parameters, 20.5 M tokens, 805 TFLOP, about 22 min", budget.Describe(6e11));
        Assert.Equal("6.16 M parameters, 20.5 M tokens, 805 TFLOP", budget.Describe(null));
        Assert.EndsWith("about 1 h 37 min", (budget with { Flops = 3.5e15 }).Describe(6e11), StringComparison.Ordinal);
    }

    [Fact]
    public void TheScheduleRisesStaysAndFalls()
    {
        TrainingRecipe training = RecipeReader.Read(
            Small,
            "r",
            "/x",
            ["training={steps: 100, warmup: 10, schedule: wsd, decay: 0.2, final_share: 0.1}"]).Training;
        Schedule schedule = training.ScheduleOver(training.StepsFor(0));
        Assert.Equal([0.1, 1, 1, 1], ((int[])[0, 9, 10, 79]).Select(schedule.At));
        Assert.Equal(0.1, schedule.At(99), 1e-12);
        Assert.InRange(schedule.At(80), 0.9, 0.999);
    }

    [Theory]
    [InlineData("x", 2 << 20, "", "a recipe has at most")]
    [InlineData("[", 500_000, "", "nested deeper than")]
    [InlineData("{a: ", 200_000, "", "nested deeper than")]
    [InlineData("*a, ", 200_000, "]", "references")]
    public void ARecipeThatIsTooMuchIsRefused(string piece, int count, string end, string message)
    {
        string text = $"a: &a 1\nname: {(end == "]" ? "[" : "")}{string.Concat(Enumerable.Repeat(piece, count))}{end}";
        RecipeException e = Assert.Throws<RecipeException>(() => RecipeReader.Read(text, "r", "/x"));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("steps", "setps", 1)]
    [InlineData("warmup", "wamrup", 1)]
    [InlineData("Batch", "batch", 0)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    public void DistanceCountsEdits(string a, string b, int distance) =>
        Assert.Equal(distance, RecipeNames.Distance(a, b));
}
