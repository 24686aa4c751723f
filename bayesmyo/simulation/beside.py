"""What the reference engine says beside one that answers with a certificate."""

from collections.abc import Iterable, Mapping

import numpy as np

from bayesmyo.simulation.row import Quantity


def compared(
    quantities: Iterable[Quantity], draws: Mapping[str, np.ndarray], interval: float
) -> tuple[float | None, float | None]:
    """How far quantities are from other draws of the same: `apart` and `wider` of a row; None where none moves.

    quantities: with the limits of a central interval; draws: by name; interval: its mass
    Medians and widths of intervals, because a mean or an SD may be that of a few draws in a heavy tail.
    """
    tail = (1 - interval) / 2
    apart, wider = [], []
    for q in quantities:
        if q.lower is None or q.median is None or q.upper is None or q.name not in draws:
            continue
        lower, median, upper = np.quantile(draws[q.name], [tail, 0.5, 1 - tail])
        if upper > lower and q.upper > q.lower:
            apart.append(abs(q.median - median) / (upper - lower))
            wider.append(np.log((q.upper - q.lower) / (upper - lower)))
    return (float(max(apart)), float(np.exp(np.mean(wider)))) if apart else (None, None)
