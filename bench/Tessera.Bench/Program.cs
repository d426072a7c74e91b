return args switch
{
    ["attention", .. string[] rest] => Tessera.Bench.AttentionBench.Run(rest),
    ["step", .. string[] rest] => Tessera.Bench.StepBench.Run(rest),
    ["tokenizer", .. string[] rest] => Tessera.Bench.TokenizerBench.Run(rest),
    _ => 0,
};
