"""What if those who left fared worse: an estimand by how much, and where its decisions tip."""

from collections.abc import Sequence

import numpy as np

from bayesmyo.assess.check import failed
from bayesmyo.assess.tip import Row, Tip, TippingPoint, tip
from bayesmyo.assess.withhold import withhold
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.axes import with_unit
from bayesmyo.figures.colours import BLUE, GREY, VERMILLION
from bayesmyo.figures.parts import warning
from bayesmyo.figures.style import SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Study


def tipping_curve(fit: Fit, estimand: str = "", of: Tip | None = None) -> Drawing:
    """An estimand (line) with its interval (band) by how much worse those who left fared; where conclusions change,
    dashed.

    At zero stands what the fit says. The further away the dashed line, the less hangs on those who left.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    estimand : str
        Its name in the study (default: that of the first decision, or the first).
    of : Tip, optional
        Of `bayesmyo.tip`, by amounts of one group; by default of a shift.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown estimand, where nobody is known to have left, and for a result that has no amounts.

    """
    of = of or tip(fit)
    name = _estimand(fit.study, estimand, of)
    rows = sorted((r for r in of.rows if r.kind == "estimand" and r.name == name), key=_amount)
    points = [
        p
        for p in withhold(list(of.points), failed(fit))
        if not p.withheld and p.estimand == name and (p.d is not None or p.spreads is not None)
    ]
    x = [_amount(r) for r in rows]
    with drawing(SINGLE, 2.7 + 0.16 * (len(points) > 2)) as (figure, ((axes,),)):
        axes.fill_between(x, [r.lower for r in rows], [r.upper for r in rows], color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(x, [r.median for r in rows], color=BLUE)
        e = fit.study.estimands[name]
        threshold = e.threshold(fit.study.outcomes[e.outcomes[0]].better)
        if threshold is not None:
            axes.axhline(threshold[1], color=GREY, linewidth=0.7, linestyle=(0, (1, 2)))
        for p in points:
            axes.axvline(_amount(p), color=VERMILLION, linewidth=0.9, linestyle="--")
        axes.set_xlim(min(x), max(x))
        axes.set_xlabel(_broken(amount_label(fit.study, of, rows), 52))
        axes.set_ylabel(_broken(with_unit(name, e.unit(fit.study.named, fit.study.time.unit)), 30))
        if of.amount != "w":
            axes.invert_xaxis()
        title(figure, f"{name}, if the {of.left} who left fared otherwise", warning(fit, *e.outcomes))
        marks = [line("median", BLUE), band(f"{fit.study.interval:.0%} interval", BLUE, 0.2)]
        marks += [line("threshold", GREY, (0, (1, 2)))] if threshold is not None else []
        marks += [line(f"tips: {', '.join(p.name for p in points)}", VERMILLION, "--")] if points else []
        legend(figure, *marks)
        return figure


def amount_label(study: Study, of: Tip, rows: Sequence[Row]) -> str:
    """What the amounts of some rows are in."""
    if of.amount == "w":
        return "Share of the way back to the own start"
    per = f" per {study.time.unit}" if "unit of time" in of.sentence else ""
    if any(r.d is None for r in rows):
        return f"{of.course.capitalize()} of those who left (declared spreads{per}; negative is worse)"
    e = study.estimands[rows[0].name]
    units = {(study.outcomes[o].unit, study.outcomes[o].family.link_name) for o in e.outcomes}
    unit, link = units.pop() if len(units) == 1 else ("", "")
    scale = f"{link} {unit}" if link in ("log", "logit") else unit
    return f"{of.course.capitalize()} of those who left ({scale}{per}; negative is worse)"


def _broken(label: str, width: int) -> str:
    """A label with its unit on a line of its own where it is too long for one."""
    return label.replace(" (", "\n(", 1) if len(label) > width else label


def _amount(row: Row | TippingPoint) -> float:
    return float(row.d if row.d is not None else row.spreads if row.spreads is not None else np.nan)


def _estimand(study: Study, name: str, of: Tip) -> str:
    drawn = list(dict.fromkeys(r.name for r in of.rows if r.kind == "estimand"))
    decided = [d.estimand for d in study.decisions.values() if d.estimand in drawn]
    if not drawn or not of.amount or of.prior or any(r.by_group for r in of.rows):
        raise UsageError(
            "of", "has no estimand by amounts of one group", f"a {of.course}", "draw a shift, a drift or a return"
        )
    if name and name not in drawn:
        raise UsageError("estimand", "is not in this result", f'"{name}"', did_you_mean(name, drawn))
    return name or (decided or drawn)[0]
