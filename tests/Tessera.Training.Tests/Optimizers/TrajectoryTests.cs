using System.Text.Json;
using Tessera.Models;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Tessera.Training.Optimizers;
using Xunit;

namespace Tessera.Training.Tests.Optimizers;

/// <summary>
/// Follows the 50-step trajectories of goldens/training: losses, gradient norms, rates and final weights.
/// </summary>
public sealed class TrajectoryTests
{
    private static readonly string[] _embeddings = ["embed_tokens", "lm_head", "wte", "wpe"];

    public static TheoryData<string, string, DType> Runs()
    {
        TheoryData<string, string, DType> runs = [];
        foreach (string model in TrainingGoldens.Models())
        {
            foreach (string run in (string[])
                ["sgd_momentum", "sgd_nesterov_l2", "adamw", "adamw_wsd", "muon", "muon_torch"])
            {
                runs.Add(model, run, DType.F32);
                runs.Add(model, run, DType.BF16);
            }
        }

        return runs;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void FollowsPyTorch(string name, string run, DType type)
    {
        using TrainingGoldens goldens = new();
        Transformer model = goldens.Load(name);
        model.ComputeType = type;
        JsonElement settings = goldens.Root.GetProperty("runs").GetProperty(run);
        JsonElement expected = goldens.Model(name).GetProperty("trajectories").GetProperty(run);
        Optimizer optimizer = Create(model, run, settings);
        Schedule schedule = ScheduleOf(settings, goldens.Steps);
        double? clip = Find(settings, "clip");
        double limit = type == DType.BF16 ? Limits.TrajectoryLossBFloat16
            : run == "muon_torch" ? Limits.TrajectoryLossMuonTorch : Limits.TrajectoryLoss;
        double[] losses = [.. expected.GetProperty("loss").EnumerateArray().Select(v => v.GetDouble())];
        for (int step = 0; step < goldens.Steps; step++)
        {
            double rate = schedule.At(step);
            Assert.Equal(
                expected.GetProperty("lr")[step].GetDouble(), settings.GetProperty("lr").GetDouble() * rate, 1e-12);
            double loss = Step(model, goldens.Step(step), optimizer, rate, clip);
            Assert.True(
                Math.Abs(loss - losses[step]) <= limit,
                $"{name} {run} {type} step {step}: loss {loss}, expected {losses[step]} ± {limit}");
        }

        if (type == DType.F32)
        {
            CompareFinal(model, name, run, expected);
        }
    }

    [Fact]
    public void SchedulesMatch()
    {
        using TrainingGoldens goldens = new();
        JsonElement file = goldens.Root.GetProperty("schedules");
        (string Name, Schedule Schedule)[] schedules =
        [
            ("cosine_warm5_floor0.1", new(ScheduleKind.Cosine, 50, 5, Floor: 0.1)),
            ("wsd_warm5_decay15_linear", new(ScheduleKind.StableDecay, 50, 5, 15)),
            ("wsd_warm5_decay15_sqrt", new(ScheduleKind.StableDecayRoot, 50, 5, 15)),
            ("cosine_n200_warm20_floor0", new(ScheduleKind.Cosine, 200, 20)),
            ("inverse_sqrt_warm10", new(ScheduleKind.InverseRoot, 100, 10)),
        ];
        foreach ((string name, Schedule schedule) in schedules)
        {
            double[] expected = [.. file.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];
            for (int step = 0; step < expected.Length; step++)
            {
                Assert.Equal(expected[step], schedule.At(step), 1e-12);
            }
        }
    }

    [Fact]
    public void NewtonSchulzMatches()
    {
        using TrainingGoldens goldens = new();
        foreach (JsonElement test in goldens.Root.GetProperty("newton_schulz").EnumerateArray())
        {
            double[][] g = Rows(test.GetProperty("g")), o = Rows(test.GetProperty("o"));
            using TensorScope scope = TensorScope.Begin();
            Tensor matrix = Tensor.From<float>(
                new Shape(g.Length, g[0].Length), [.. g.SelectMany(r => r).Select(v => (float)v)]);
            NewtonSchulz.Orthogonalise(matrix);
            double[] actual = [.. matrix.ToArray<float>().Select(v => (double)v)];
            Close.ToLargest([.. o.SelectMany(r => r)], actual, Limits.OpsSingle, "Newton–Schulz");
        }
    }

    private static double[][] Rows(JsonElement rows) =>
        [.. rows.EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetDouble()).ToArray())];

    private static double Step(
        Transformer model, TrainingGoldens.Batch batch, Optimizer optimizer, double rate, double? clip)
    {
        foreach (Parameter parameter in model.Parameters.All)
        {
            parameter.ForgetGradient();
        }

        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        Tensor loss = model.Loss(batch.Ids, batch.Segments, batch.Labels, default, Ops.MeanScale(batch.Labels)).Loss;
        tape.Backward(loss);
        double norm = Optimizer.GradientNorm(model.Parameters.All);
        optimizer.Step(rate, Optimizer.ClipScale(norm, clip));
        return loss.Span<float>()[0];
    }

    private static Optimizer Create(Transformer model, string run, JsonElement s)
    {
        IReadOnlyList<Parameter> all = model.Parameters.All;
        double rate = s.GetProperty("lr").GetDouble(), decay = Find(s, "weight_decay") ?? 0;
        if (run.StartsWith("sgd", StringComparison.Ordinal))
        {
            bool nesterov = s.TryGetProperty("nesterov", out JsonElement n) && n.GetBoolean();
            return new Sgd(all, rate, s.GetProperty("momentum").GetDouble(), nesterov, decay);
        }

        if (run.StartsWith("adamw", StringComparison.Ordinal))
        {
            JsonElement betas = s.GetProperty("betas");
            return new AdamW(
                all,
                new AdamWSettings(
                    rate, betas[0].GetDouble(), betas[1].GetDouble(), s.GetProperty("eps").GetDouble(), decay));
        }

        bool Hidden(Parameter p) =>
            p.Shape.Rank == 2 && !_embeddings.Any(e => p.Name.Contains(e, StringComparison.Ordinal));
        return new Muon(
            all.Where(Hidden),
            all.Where(p => !Hidden(p)),
            new MuonSettings(rate, s.GetProperty("momentum").GetDouble(), decay, ShapesAsStored: run == "muon_torch"),
            new AdamWSettings(s.GetProperty("adam_lr").GetDouble(), WeightDecay: 0));
    }

    private static Schedule ScheduleOf(JsonElement settings, int steps) =>
        (settings.TryGetProperty("schedule", out JsonElement kind) ? kind.GetString() : null) switch
        {
            "cosine" => new Schedule(ScheduleKind.Cosine, steps, 5, Floor: 0.1),
            "wsd" => new Schedule(ScheduleKind.StableDecay, steps, 5, 15),
            _ => new Schedule(ScheduleKind.Constant, steps),
        };

    private static double? Find(JsonElement settings, string name) =>
        settings.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;

    private static void CompareFinal(Transformer model, string name, string run, JsonElement expected)
    {
        using SafetensorsFile final = TrainingGoldens.Final(name);
        double limit = Limits.FinalWeightsFactor * expected.GetProperty("final_weight_max_error_fp32").GetDouble();
        foreach (Parameter parameter in model.Parameters.All.Where(p => final.Contains($"{run}.{p.Name}")))
        {
            double[] wanted = [.. final[$"{run}.{parameter.Name}"].ToArray<float>().Select(v => (double)v)];
            double[] actual = [.. parameter.Value.ToArray<float>().Select(v => (double)v)];
            Close.Within(wanted, actual, limit, $"{name} {run} {parameter.Name}");
        }
    }
}
