return args switch
{
    ["attention", .. string[] rest] => Tessera.Bench.AttentionBench.Run(rest),
    ["matmul", .. string[] rest] => Tessera.Bench.MatmulBench.Run(rest),
    ["step", .. string[] rest] => Tessera.Bench.StepBench.Run(rest),
    ["tokenizer", .. string[] rest] => Tessera.Bench.TokenizerBench.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: Tessera.Bench attention|matmul|step|tokenizer [options]; each bench says its own");
    return 2;
}
