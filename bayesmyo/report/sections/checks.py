"""Every check: what was looked at, what was found, and what it means."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bayesmyo import figures
from bayesmyo.assess.diagnostics import bfmi
from bayesmyo.errors import UsageError
from bayesmyo.figures.style import Drawing
from bayesmyo.report.blocks import Block, Cell, Heading, Items, Paragraph, Picture, Section, Span, Table
from bayesmyo.report.numbers import count, fixed, number, rhat
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.report.standing import verdict


def checks(r: Results) -> Section:
    blocks: list[Block] = [
        Paragraph("A check that fails withholds every sentence about the outcomes it speaks of; one that names no outcome speaks of all."),
        Table(
            "checks", "Every check and its verdict", ("check", "verdict", "finding"),
            tuple((c.name, verdict(c), c.sentence) for c in r.checks),
        ),
        *([Items(who)] if (who := tuple(w for c in r.checks for w in c.who)) and r.patient_level else []),
        Heading("Convergence"), sampler(r), quantities(r),
    ]  # fmt: skip
    predictive = [c for c in r.checks if c.table and "statistic" in c.table[0]]
    if predictive:
        blocks += [Heading("What was measured, against what the model would have measured"), statistics(r)]
        for outcome in r.study.outcomes:
            blocks += pictures(r, outcome)
    return Section("checks", "Checks", tuple(blocks))


def sampler(r: Results) -> Table:
    stats = r.fit.group("sample_stats").data_vars
    sizes, every = r.fit.group("posterior").sizes, int(r.fit.sampling["every"])
    kept = "draws of each chain" + (f", one in {every} of those sampled" if every > 1 else "")
    rows: list[tuple[Cell, ...]] = [("chains", count(sizes["chain"])), (kept, count(sizes["draw"]))]
    if "diverging" in stats:
        rows.append(("divergences (0 are allowed)", count(int(stats["diverging"].sum()))))
    if "reached_max_treedepth" in stats:
        share = float(stats["reached_max_treedepth"].mean())
        rows.append(("share of draws at the maximum tree depth (at most 0.01)", fixed(share, ".3f")))
    if "energy" in stats:
        rows.append(
            ("lowest E-BFMI of a chain (at least 0.3)", fixed(float(bfmi(stats["energy"].values).min()), ".2f"))
        )
    return Table("sampler", "The sampler", ("what", "found"), tuple(rows))


def quantities(r: Results) -> Table:
    """R-hat and effective sample sizes of every parameter and every estimand."""
    rows = [
        (str(q["quantity"]), str(q["kind"]), rhat(q["rhat"]), number(q["ess_bulk"]), number(q["ess_tail"]))
        for q in r.checks[0].table
    ]
    caption = (
        "R-hat (at most 1.01) and effective draws (at least 400) of every parameter and estimand, and of the worst "
        "effects of patients"
    )
    headers = ("quantity", "kind", "R-hat", "effective draws, bulk", "effective draws, tail")
    return Table("convergence", caption, headers, tuple(rows), folded=True)


def statistics(r: Results) -> Table:
    """Every statistic of the predictive checks."""
    rows: list[tuple[Cell, ...]] = []
    for c in r.checks:
        for row in c.table:
            if "statistic" in row:
                observed, lower, upper = (number(float(row[k])) for k in ("observed", "lower", "upper"))
                what = (c.name, r.study.label(str(row["outcome"])), str(row["statistic"]))
                rows.append((*what, observed, Span(lower, upper), fixed(float(row["p"]), ".3f")))
    headers = ("check", "outcome", "statistic", "measured", "predicted, 95%", "adjusted p")
    caption = "Statistics of the data beside those of replicates drawn from the model"
    return Table("predictive_checks", caption, headers, tuple(rows), folded=True)


OF = {  # what each figure shows, by check
    "predictive": ("distribution",), "time-course": ("time course",), "pit": ("leave-one-out prediction",), "residuals": ("dependence within patients",),
    "shares": ("ceiling and floor", "zeros", "calibration of grades", "censored cells"),
}  # fmt: skip


def pictures(r: Results, outcome: str) -> list[Block]:
    """What the checks look at, drawn."""
    label = r.study.label(outcome)
    asked: tuple[tuple[str, str, Callable[[], Drawing]], ...] = (
        ("predictive", "distribution of the measurements, and of replicates", lambda: figures.predictive(r.fit, outcome)),
        ("time-course", "quantiles over time, of the measurements and of new patients",
         lambda: figures.time_course(r.fit, outcome, patients=r.patient_level)),
        ("shares", "zeros, ends and limits", lambda: figures.shares(r.fit, outcome)),
        ("pit", "each measurement in its prediction from all others", lambda: figures.pit(r.fit, outcome)),
    )  # fmt: skip
    if r.patient_level:
        asked += (("residuals", "residuals around patients' own curves", lambda: figures.residuals(r.fit, outcome)),)
    drawings: list[Block] = []
    for name, what, draw in asked:
        drawn = _drawn(f"figure-{name}-{outcome}", f"{label}: {what}", draw, alternative(r, outcome, OF[name]))
        drawings += [] if drawn is None else [drawn]
    return [Heading(label), *drawings] if drawings else []


def _drawn(name: str, caption: str, draw: Callable[[], Drawing], alternative: str) -> Picture | None:
    """A figure; None where an outcome has nothing that it could show."""
    try:
        drawing = draw()
    except UsageError:
        return None
    return replace(picture(drawing, name, caption, f"{caption}. {alternative}"), folded=True)


def alternative(r: Results, outcome: str, names: Sequence[str]) -> str:
    """The statistics of some checks of an outcome, as the table has them."""
    label = r.study.label(outcome)
    rows = [[str(cell) for cell in row] for row in statistics(r).rows if row[0] in names and row[1] == label]
    if not rows:
        return "No statistic of it is judged."
    return "Measured, and predicted: " + "; ".join(f"{row[2]} {row[3]} ({row[4]})" for row in rows) + "."
