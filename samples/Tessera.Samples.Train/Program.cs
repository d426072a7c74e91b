// Trains a small model on a text, with the loop in the open. Arguments: the text, the number of steps.
using System.Globalization;
using Tessera.Models;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;
using Tessera.Training.Optimizers;

const int B = 8, T = 64; // sequences in a batch, tokens in a sequence
string text = File.ReadAllText(args[0]);
int steps = int.Parse(args[1], CultureInfo.InvariantCulture);

Tokenizer tokenizer = new BpeTrainer(new BpeTrainerSettings { VocabularySize = 512 }).Train([text]).Tokenizer;
int[] tokens = tokenizer.Encode(text);

Transformer model = Transformer.Random(
    new TransformerConfig
    {
        Family = "qwen3",
        VocabularySize = tokenizer.VocabularySize,
        Layers = 2,
        Width = 64,
        Heads = 4,
        KeyHeads = 2,
        HeadSize = 16,
        FeedForwardWidth = 192,
        ContextLength = T,
        Activation = Activation.SwiGlu,
        Norm = Norm.Rms,
        NormEpsilon = 1e-6,
        QkNorm = true,
        Rotary = new RotaryConfig(10_000, 16),
        TiedEmbeddings = true,
    },
    seed: 1);
AdamW optimizer = new(model.Parameters.All, new AdamWSettings(LearningRate: 1e-2));
Schedule schedule = new(ScheduleKind.Cosine, steps, WarmUp: steps / 10, Floor: 0.1);

Segments segments = Segments.Of([.. Enumerable.Repeat(T, B)]);
Random random = new(1);
int[] inputs = new int[B * T], labels = new int[B * T];
for (int step = 0; step < steps; step++)
{
    for (int b = 0; b < B; b++)
    {
        int start = random.Next(tokens.Length - T);
        tokens.AsSpan(start, T).CopyTo(inputs.AsSpan(b * T));
        tokens.AsSpan(start + 1, T).CopyTo(labels.AsSpan(b * T)); // each token predicts the next one
    }

    using TensorScope scope = TensorScope.Begin(); // frees what this step computes
    using Tape tape = Tape.Start(); // remembers it for the gradient
    Tensor loss = model.Loss(inputs, segments, labels, weights: default, Ops.MeanScale(labels)).Loss;
    float nats = loss.Span<float>()[0];

    foreach (Parameter parameter in model.Parameters.All)
    {
        parameter.ForgetGradient();
    }

    tape.Backward(loss);
    double norm = Optimizer.GradientNorm(model.Parameters.All);
    optimizer.Step(schedule.At(step), Optimizer.ClipScale(norm, limit: 1));
    if (step % 10 == 0 || step == steps - 1)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step}: loss {nats:F3}"));
    }
}
