"""Which patient carries a conclusion."""

from matplotlib.lines import Line2D

from bayesmyo.assess.influence import Influence
from bayesmyo.errors import UsageError
from bayesmyo.figures.colours import BLACK, BLUE, GREEN, GREY, ORANGE, PALE, PURPLE, SKY, VERMILLION
from bayesmyo.figures.style import SINGLE, Drawing, drawing, legend, line, title

MOST = 30  # patients
LOOK = (("o", BLUE), ("s", ORANGE), ("^", GREEN), ("D", PURPLE), ("v", SKY), ("P", BLACK))
OTHER = ("X", GREY)


def influence(left_out: Influence) -> Drawing:
    """How far each patient, left out, moves the answer that it moves most, in SDs of the posterior of all; the
    largest first.

    The mark says which estimand; a cross behind a name, that a decision flips without this patient. With 20 patients,
    half an SD is usual and one is much. A warning: a flipped decision, or one patient far ahead of the others: look
    at that record, and report with and without.

    Parameters
    ----------
    left_out : Influence
        What `bayesmyo.influence` says.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where nobody was left out.

    """
    rows = left_out.patients[:MOST]
    if not rows:
        raise UsageError("influence", "is of no patient")
    moved = list(dict.fromkeys(p.moved for p in rows))
    look = {name: LOOK[k] if k < len(LOOK) else OTHER for k, name in enumerate(moved)}
    with drawing(SINGLE, 0.16 * len(rows) + 1.1 + 0.08 * len(look)) as (figure, ((axes,),)):
        y = range(len(rows))
        axes.axvline(0, color=GREY, linewidth=0.6)
        axes.hlines(y, 0, [p.shift for p in rows], color=PALE, linewidth=2, label="shift")
        for name, (marker, color) in look.items():
            here = [(p.shift, k) for k, p in enumerate(rows) if p.moved == name]
            x, at = [s for s, _ in here], [k for _, k in here]
            axes.plot(x, at, marker, color=color, markersize=4.5, linestyle="none", label=name)
        axes.set_yticks(y, [p.patient + (" ×" if p.flips else "") for p in rows])
        for tick, p in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set_color(VERMILLION if p.flips else BLACK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        reach = 1.15 * max(0.2, *(abs(p.shift) for p in rows))
        axes.set_xlim(-reach, reach)
        axes.set_xlabel("Shift without the patient (posterior SD)")
        of = f" of {len(left_out.patients)}" if len(rows) < len(left_out.patients) else ""
        flips = sum(bool(p.flips) for p in left_out.patients)
        title(
            figure,
            f"Each of {len(rows)}{of} patients left out; "
            + (f"× {flips} flip a decision" if flips else "no decision flips"),
        )
        legend(figure, *_entries(look))
        return figure


def _entries(look: dict[str, tuple[str, str]]) -> list[Line2D]:
    named = [
        line(name.replace("_", " ") or "no estimand", color, "none", m)
        for name, (m, color) in look.items()
        if (m, color) != OTHER
    ]
    return [*named, *([line("other estimands", OTHER[1], "none", OTHER[0])] if OTHER in look.values() else [])]
