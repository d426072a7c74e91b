namespace Tessera.Tensors.Kernels;

/// <summary>
/// The definition of a matrix product: slow, obvious, and what every faster version is tested against.
/// </summary>
public static unsafe class MatmulReference
{
    /// <summary>
    /// Returns (C +) A · B (+ bias) for each element in rows, in double, without rounding the result to C's type.
    /// Operands are taken as stored; <paramref name="roundToBFloat16"/> rounds F32 ones first.
    /// </summary>
    public static double[] Multiply(
        MatrixView a, MatrixView b, MatrixView c, MatmulOptions options, bool roundToBFloat16)
    {
        double[] result = new double[(long)c.Rows * c.Columns];
        for (int row = 0; row < c.Rows; row++)
        {
            for (int column = 0; column < c.Columns; column++)
            {
                double sum = 0;
                for (int k = 0; k < a.Columns; k++)
                {
                    sum += (double)Read(a, row, k, roundToBFloat16) * Read(b, k, column, roundToBFloat16);
                }

                sum += options.Bias == null ? 0 : options.Bias[column];
                result[((long)row * c.Columns) + column] = options.Accumulate ? Read(c, row, column, false) + sum : sum;
            }
        }

        return result;
    }

    private static float Read(MatrixView view, int row, int column, bool roundToBFloat16)
    {
        byte* at = view.At(row, column);
        float value = view.Type == DType.F32 ? *(float*)at : *(BFloat16*)at;
        return roundToBFloat16 ? (BFloat16)value : value;
    }
}
