using System.Runtime.CompilerServices;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>Packs panels of the right operand on all threads.</summary>
internal unsafe struct Packing : IParallelBody
{
    // An item is far longer than its claim (about 0.1 µs), and there are enough for an even share.
    private const long ItemBytes = 64 << 10;

    // Rows are read whole up to so many bytes of panels a step; beyond it they are cut.
    private const int StepBytes = 16 << 10;

    private readonly Right _source;
    private readonly Strip _strip;
    private readonly int _panelsAnItem, _stepsAnItem, _panelItems, _stepItems;

    public Packing(Right source, Strip strip)
    {
        (_source, _strip) = (source, strip);
        int steps = Math.Max(1, strip.Last - strip.First), width = strip.Width * sizeof(uint);
        if (source.Packed is null && !strip.Source.Transposed)
        {
            // What is stored by rows is read across the panels.
            _panelsAnItem = Math.Clamp(StepBytes / width, 1, Math.Max(1, strip.Panels));
            _stepsAnItem = (int)((ItemBytes / (_panelsAnItem * width)) + 15) / 16 * 16;
        }
        else
        {
            // What is stored by columns is read along K.
            _panelsAnItem = (int)Math.Clamp(ItemBytes / ((long)steps * width), 1, Math.Max(1, strip.Panels));
            _stepsAnItem = steps;
        }

        _panelItems = (strip.Panels + _panelsAnItem - 1) / _panelsAnItem;
        _stepItems = (strip.Last - strip.First + _stepsAnItem - 1) / _stepsAnItem;
    }

    /// <summary>Packs all of them.</summary>
    public void Run() => Workers.Run(_panelItems * _stepItems, ref this);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Run(int index)
    {
        (int stepItem, int panelItem) = Math.DivRem(index, _panelItems);
        int firstPanel = panelItem * _panelsAnItem;
        int panels = Math.Min(_panelsAnItem, _strip.Panels - firstPanel);
        if (_source.Packed is null)
        {
            int first = _strip.First + (stepItem * _stepsAnItem);
            Strip part = _strip.Part(firstPanel, panels);
            PanelPacking.Pack(in part, first, Math.Min(first + _stepsAnItem, _strip.Last));
            return;
        }

        for (int panel = firstPanel; panel < firstPanel + panels; panel++)
        {
            byte* to = _strip.To + (panel * _strip.PanelStride);
            _source.WidenPanel(_strip.FirstPanel + panel, _strip.First, _strip.Last, to);
        }
    }
}
