return args switch
{
    ["tokenizer", .. string[] rest] => Tessera.Bench.TokenizerBench.Run(rest),
    _ => 0,
};
