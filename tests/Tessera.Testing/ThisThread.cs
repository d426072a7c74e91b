namespace Tessera.Testing;

/// <summary>Makes the current thread ready to have its allocated bytes counted.</summary>
public static class ThisThread
{
    /// <summary>
    /// Sleeps once. A thread's first sleep on an event allocates about a kilobyte that the runtime keeps for it; when a
    /// parallel region first makes its caller sleep is a matter of chance.
    /// </summary>
    public static void SleepOnce()
    {
        using AutoResetEvent never = new(false);
        never.WaitOne(1);
    }
}
