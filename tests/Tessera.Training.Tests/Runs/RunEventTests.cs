using System.Text;
using System.Text.Json;
using Tessera.Training.Evaluation;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests.Runs;

public sealed class RunEventTests
{
    public static IReadOnlyList<RunEvent> One { get; } =
    [
        new RunStarted { Name = "n", Folder = "f", Steps = 5, Flops = 1e15, InstructionSet = "avx2", Threads = 2 },
        new DataRead { File = "a.txt", TextBytes = 7 },
        new StageStarted { Step = 3, Name = "decay", Index = 1, Steps = 2 },
        new StepDone { Step = 4, Loss = double.NaN, LearningRate = 1e-3, GradientNorm = 1e9, TokensPerSecond = 1.5 },
        new Measured { Step = 4, Results = [new HeldOutResult("wiki", 1, 2, 3, 3, 4.5)] },
        new Sampled { Step = 4, Prompt = "Es war \"einmal\"", Text = "\n</script> 你好" },
        new CheckpointWritten { Step = 4, Folder = "c", Best = true },
        new Warned { Step = 4, Message = "the loss jumped" },
        new RunEnded { Step = 5, Finished = true, Reason = "all steps are done", Seconds = 3.25 },
    ];

    [Fact]
    public void AnEventIsOneLineOfJsonThatGivesItBack()
    {
        foreach (RunEvent what in One)
        {
            string line = what.ToJson();
            Assert.DoesNotContain('\n', line);
            RunEvent read = RunEvent.FromJson(Encoding.UTF8.GetBytes(line));
            Assert.Equal(line, read.ToJson());
            Assert.Equal(what.GetType(), read.GetType());
        }
    }

    [Fact]
    public void ALineNamesItsEventAndItsStep()
    {
        using JsonDocument json = JsonDocument.Parse(One[3].ToJson());
        Assert.Equal("step", json.RootElement.GetProperty("event").GetString());
        Assert.Equal(4, json.RootElement.GetProperty("step").GetInt32());
        Assert.Equal("NaN", json.RootElement.GetProperty("loss").GetString());
        Assert.Equal(1e-3, json.RootElement.GetProperty("learning_rate").GetDouble());
    }
}
