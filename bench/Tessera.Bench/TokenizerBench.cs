using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Tessera.Models.Tokenizers;

namespace Tessera.Bench;

/// <summary>
/// Measures training and encoding of byte-level BPE in megabytes a second, and beside it the npm package of
/// <c>tokenizers</c>, one after the other in turn, each idle while the other works.
/// </summary>
internal sealed class TokenizerBench
{
    private const string Usage =
        "tokenizer [--data FOLDER] [--megabytes 40] [--vocabulary 8192] [--rounds 3] [--node NODE --npm FOLDER]";

    private const int PeerVocabulary = 30_000;

    private readonly Dictionary<string, string> _options;
    private readonly List<ReadOnlyMemory<byte>> _documents = [];
    private double _megabytes;

    private TokenizerBench(Dictionary<string, string> options) => _options = options;

    /// <summary>Runs the bench with the options of the command line.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments.Length % 2 != 0)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        Dictionary<string, string> options = [];
        for (int i = 0; i < arguments.Length; i += 2)
        {
            options[arguments[i]] = arguments[i + 1];
        }

        return new TokenizerBench(options).Run();
    }

    private int Run()
    {
        ReadDocuments();
        int rounds = Number("--rounds", 3);
        int vocabulary = Number("--vocabulary", 8192);
        Console.WriteLine($"{_megabytes:F1} MB, {_documents.Count} documents, {Environment.ProcessorCount} processors");

        ByteLevelBpe tokenizer = Train(vocabulary, Environment.ProcessorCount).Tokenizer;
        List<double> train = Rounds(rounds, () => Train(vocabulary, Environment.ProcessorCount));
        Report($"train {vocabulary}, {Environment.ProcessorCount} threads", train, peer: null);
        Report($"train {vocabulary}, 1 thread", Rounds(rounds, () => Train(vocabulary, 1)), peer: null);

        if (!_options.TryGetValue("--node", out string? node) || !_options.TryGetValue("--npm", out string? npm))
        {
            Report("encode, 1 thread", Rounds(rounds, () => Encode(tokenizer)), peer: null);
            Console.WriteLine("peer skipped: --node and --npm name it");
            return 0;
        }

        RunWithPeer(tokenizer, rounds, node, npm);
        return 0;
    }

    private void RunWithPeer(ByteLevelBpe tokenizer, int rounds, string node, string npm)
    {
        string folder = Directory.CreateTempSubdirectory("tokenizer-bench").FullName;
        string lines = Path.Combine(folder, "documents.jsonl");
        string text = Path.Combine(folder, "documents.txt");
        string saved = Path.Combine(folder, "tokenizer.json");
        string[] documents = [.. _documents.Select(document => Encoding.UTF8.GetString(document.Span))];
        File.WriteAllLines(lines, documents.Select(document => JsonSerializer.Serialize(document)));
        File.WriteAllText(text, string.Join('\n', documents));
        tokenizer.Save(saved);

        using Process peer = StartPeer(node, npm);
        Ask(peer, $"documents {lines}");
        Ask(peer, $"load {saved}");
        (List<double> ours, List<double> theirs) = ([], []);
        (long ourTokens, long theirTokens) = (0, 0);
        for (int round = 0; round < rounds; round++)
        {
            ours.Add(Time(() => ourTokens = Encode(tokenizer)));
            (double seconds, theirTokens) = Ask(peer, "encode");
            theirs.Add(seconds);
        }

        Report("encode, 1 thread", ours, theirs);
        Console.WriteLine($"tokens: {ourTokens} ours, {theirTokens} theirs");
        (ours, theirs) = ([], []);
        for (int round = 0; round < rounds; round++)
        {
            ours.Add(Time(() => Train(PeerVocabulary, Environment.ProcessorCount)));
            theirs.Add(Ask(peer, $"train {text}").Seconds);
        }

        Report($"train {PeerVocabulary}, all the package offers, {Environment.ProcessorCount} threads", ours, theirs);
        peer.StandardInput.Close();
        peer.WaitForExit();
        Directory.Delete(folder, recursive: true);
    }

    private static Process StartPeer(string node, string npm)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "tokenizers.mjs");
        ProcessStartInfo start = new(node, [script, npm])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return Process.Start(start) ?? throw new InvalidOperationException($"{node} did not start");
    }

    private static (double Seconds, long Result) Ask(Process peer, string command)
    {
        peer.StandardInput.WriteLine(command);
        string answer;
        do
        {
            // The package draws its progress between the answers.
            answer = peer.StandardOutput.ReadLine()
                ?? throw new InvalidOperationException($"the peer ended at: {command}");
        }
        while (!answer.StartsWith('{'));
        using JsonDocument json = JsonDocument.Parse(answer);
        return (json.RootElement.GetProperty("seconds").GetDouble(), json.RootElement.GetProperty("result").GetInt64());
    }

    private BpeTraining Train(int vocabulary, int threads) => new BpeTrainer(
        new BpeTrainerSettings { VocabularySize = vocabulary, Threads = threads }).Train(_documents);

    private long Encode(ByteLevelBpe tokenizer)
    {
        List<int> ids = new(1 << 20);
        long tokens = 0;
        foreach (ReadOnlyMemory<byte> document in _documents)
        {
            ids.Clear();
            tokenizer.Encode(document.Span, ids);
            tokens += ids.Count;
        }

        return tokens;
    }

    private void ReadDocuments()
    {
        string data = _options.GetValueOrDefault("--data", Path.Combine("..", "shared", "data"));
        long wanted = Number("--megabytes", 40) * 1_000_000L;
        long bytes = 0;
        foreach (string name in new[] { "pretrain-books.jsonl.gz", "pretrain-wikipedia.jsonl.gz" })
        {
            using GZipStream unpacked = new(File.OpenRead(Path.Combine(data, name)), CompressionMode.Decompress);
            using StreamReader reader = new(unpacked);
            while (bytes < wanted && reader.ReadLine() is string line)
            {
                using JsonDocument json = JsonDocument.Parse(line);
                byte[] text = Encoding.UTF8.GetBytes(json.RootElement.GetProperty("text").GetString()!);
                _documents.Add(text);
                bytes += text.Length;
            }
        }

        _megabytes = bytes / 1e6;
    }

    private int Number(string option, int usual) =>
        _options.TryGetValue(option, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : usual;

    private static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static List<double> Rounds(int rounds, Func<object> action) =>
        [.. Enumerable.Range(0, rounds).Select(_ => Time(() => action()))];

    private void Report(string what, List<double> ours, List<double>? peer)
    {
        double own = _megabytes / Median(ours);
        string text = $"{what}: {own:F1} MB/s";
        if (peer is not null)
        {
            double other = _megabytes / Median(peer);
            text += $", tokenizers (npm) {other:F1} MB/s, ratio {own / other:F1}";
        }

        Console.WriteLine(text);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
