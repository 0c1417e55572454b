"""The geometry of bar charts. Templates draw them as inline SVG, coloured by CSS variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from egregora_resources.publishing.front_matter import Chart

WIDTH, HEIGHT, WIDEST_STEP = 720, 120, 48


def bars(
    title: str,
    label: str,
    unit: str,
    rows: Sequence[tuple[str, int]],
    number: Callable[[int], str] = str,
    ticks: Sequence[tuple[int, str]] = (),
    *,
    ends: bool = False,
) -> Chart | None:
    """Lay out a bar chart; None if no value is above zero.

    Args:
        title: what the chart shows, also its name for screen readers.
        label: the head of the table's first column, such as ``Hour``.
        unit: the head of its second column, such as ``Messages``.
        rows: (name, value), a bar each, from left to right.
        number: how values are written in the table.
        ticks: (index of a row, text below its bar).
        ends: write the first and last row's name below the chart, if its bars fill it.

    Returns:
        Bars as (x, y, width, height) in a box of `WIDTH` by `HEIGHT`; no bar is wider than `WIDEST_STEP`.
    """
    top = max((value for _, value in rows), default=0)
    if top <= 0:
        return None
    step = min(WIDTH / len(rows), WIDEST_STEP)
    gap = min(4.0, step * 0.25)
    drawn: list[list[float]] = []
    for index, (_, value) in enumerate(rows):
        height = max(HEIGHT * value / top, 2.0) if value > 0 else 0.0
        drawn.append(
            [round(index * step, 2), round(HEIGHT - height, 1), round(step - gap, 2), round(height, 1)]
        )
    return Chart(
        title=title,
        label=label,
        unit=unit,
        width=WIDTH,
        height=HEIGHT,
        bars=drawn,
        rows=[(name, number(value)) for name, value in rows],
        ticks=[(round(index * step + (step - gap) / 2, 1), text) for index, text in ticks],
        ends=[rows[0][0], rows[-1][0]] if ends and len(rows) * step >= WIDTH else [],
    )
