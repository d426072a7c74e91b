return args switch
{
    ["step", .. string[] rest] => Tessera.Bench.StepBench.Run(rest),
    ["tokenizer", .. string[] rest] => Tessera.Bench.TokenizerBench.Run(rest),
    _ => 0,
};
