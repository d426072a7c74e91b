using Tessera.Bench.Torch;

if (args is ["child", string side, .. string[] work])
{
    return Child.Run(side, work);
}

try
{
    return Comparison.Run(Settings.Parse(args));
}
catch (ArgumentException error)
{
    Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine(Settings.Usage);
    return 2;
}
