using Xunit;

namespace Tessera.Tidy.Tests.Source;

public sealed class MemberReaderTests
{
    private const string Sample = """
        using System;

        namespace X;

        /// <summary>Is.</summary>
        [Flags]
        public enum Colour { Red, Green = 2 }

        internal sealed class A<T>(int start) : B, IC
            where T : struct
        {
            private static readonly int[] Table = [1, 2];
            private readonly Func<int, int> _f = x => { return x; };

            public int P { get; set; } = 5;

            [Theory]
            [InlineData(new[] { 1 }, "a;b{")]
            public static void M<U>(int x = 5, string y = "{")
                where U : class
            {
                if (x > 1) { void Local() { } }
            }

            public int E(int x) => x switch
            {
                1 => 2,
                _ => 3,
            };

            public static bool operator ==(A<T> a, A<T> b) => true;

            protected internal interface IInner
            {
                int Count();
            }
        }

        public delegate void Done(int x);
        public record struct R(int X);
        """;

    [Fact]
    public void EveryDeclarationIsFound()
    {
        string[] found = [.. MemberReader.Read(CodeMask.Of(Sample)).Select(member =>
            $"{member.Kind} {member.Name} {member.TopLine + 1}-{member.LastLine + 1} "
            + (member.IsVisible ? "visible" : "hidden"))];

        string[] wanted =
        [
            "Type Colour 6-7 visible",
            "Value Red 7-7 visible",
            "Value Green 7-7 visible",
            "Type A 9-37 hidden",
            "Value Table 12-12 hidden",
            "Value _f 13-13 hidden",
            "Function P 15-15 hidden",
            "Function M 17-23 hidden",
            "Function E 25-29 hidden",
            "Function operator 31-31 hidden",
            "Type IInner 33-36 hidden",
            "Function Count 35-35 hidden",
            "Type Done 39-39 visible",
            "Type R 40-40 visible",
        ];
        Assert.Equal(wanted, found);
    }
}
