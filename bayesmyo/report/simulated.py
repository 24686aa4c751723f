"""Power and calibration for a terminal: tables first, then sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from bayesmyo.report.simulations import dry_run
from bayesmyo.report.terminal import say, show_table
from bayesmyo.simulation.power.operating import POSTERIOR

MOST = 15  # quantities of a calibration that are shown


def show_power(found: Any, plan: Any) -> None:
    """Every decision of every cell, and when it is met; every estimand; sentences."""
    last = found.last()
    varied = list(dict.fromkeys(k for d in last for k in d.labels if k not in ("scenario", "patients")))
    methods = list(dict.fromkeys(_method(m) for d in last for m in d.comparators))
    headers = [
        "decision",
        "scenario",
        *(v.replace("_", " ") for v in varied),
        "n",
        "met",
        "error",
        "P",
        "failed",
        "if failed",
        *methods,
    ]
    rows = []
    for d in last:
        lost = sum(d.failed.values())
        bounds = f"{points(d.worst)}-{points(d.best)}" if lost else "-"
        beside = [points(_beside(d, m)) for m in methods]
        kind = " (not true)" if d.null else ""
        rows.append(
            (
                d.decision,
                f"{d.labels.get('scenario', '')}{kind}",
                *_values(d.labels, varied),
                d.look,
                points(d.rate.value),
                points(d.rate.mcse, 1),
                points(d.expected.value),
                lost,
                bounds,
                *beside,
            )
        )
    show_table(
        headers,
        rows,
        title="Decisions: met in % of studies, with its Monte Carlo error; P, the probability that the rule looks at, on average in %",
    )
    for name, decision in plan.cells[0].analysis.decisions.items():
        say(f"{name} is met when {decision.rule()}.")
    if methods:
        say(
            "Beside: the same rule by other methods (a flat prior), or a two-sided test of no change where they have no such rule. "
            "Where a decision is not true, what is met is type I error."
        )
    say("")
    cells = {d.cell for d in last}
    rows = [
        (e.estimand, e.labels.get("scenario", ""), *_values(e.labels, varied), e.look, e.bias.value, e.bias.mcse,
         points(e.coverage.value), e.width.value, points(e.sign.value if e.sign else None, 1), e.magnitude.value if e.magnitude else None)
        for e in found.estimands if e.cell in cells and e.method == POSTERIOR
    ]  # fmt: skip
    if rows:
        axes = [v.replace("_", " ") for v in varied]
        headers = ["estimand", "scenario", *axes, "n", "bias", "error", "cover", "width", "S", "M"]
        show_table(
            headers,
            rows,
            title="Estimands: bias with its Monte Carlo error, coverage and type S error in %, type M error as a factor",
        )
        if methods:
            say("Those of other methods are in estimands.csv.")
        say("")
    if dry := dry_run(plan.engine):
        say(dry, "bold red")
    chosen = found.chosen()
    for sentence in chosen:
        say(f"- {sentence}")
    if len(chosen) < len(found.sentences):
        say("All other numbers of patients and designs are in the first table.")


def show_calibration(cells: Sequence[Any]) -> None:
    """Each cell's verdict, with its worst quantities and coverage."""
    for c in cells:
        truths = "the priors" if "truths" in c.labels else "the posterior of the fit, its patients measured once more"
        failed = sum(c.failed.values())
        say(
            f"{c.patients} patients, truths from {truths}: {c.replicates} replicates, {failed} failed, {c.divergent} with divergences, "
            f"{c.again} sampled twice",
            "bold",
        )
        shown = sorted(c.quantities, key=lambda q: q.p)
        rows = [
            (q.name, _p(q.adjusted), *(points(r.value) for r in q.coverage.levels.values()), _in_errors(q.coverage.bias))
            for q in shown[:MOST]
        ]  # fmt: skip
        levels = [f"{100 * level:g}%" for level in (shown[0].coverage.levels if shown else ())]
        show_table(
            ["quantity", "adjusted p", *levels, "bias in errors"],
            rows,
            title="Coverage of intervals in %, bias in its Monte Carlo errors; the least uniform first",
        )
        if len(shown) > MOST:
            say(f"and {len(shown) - MOST} more in calibration.parquet")
        say(("passed  " if c.passed else "FAILED  ") + c.sentence, "" if c.passed else "bold red")
        say("")


def _values(labels: Mapping[str, str | float], varied: Sequence[str]) -> list[str]:
    """What a cell has of everything that varies."""
    return [f"{v:g}" if isinstance(v := labels.get(k, "-"), float | int) else v for k in varied]


def points(value: float | None, decimals: int = 0) -> str:
    """A share in percent."""
    return "-" if value is None else f"{100 * value:.{decimals}f}"


def _p(p: float) -> str:
    return "<0.0001" if p < 1e-4 else f"{p:.2g}"


def _in_errors(bias: Any) -> float | None:
    """A bias in its Monte Carlo errors: beyond three it is one."""
    return bias.value / bias.mcse if bias.mcse else None


def _method(comparator: str) -> str:
    return comparator.split(" for ")[0].split(":")[0]


def _beside(d: Any, method: str) -> float | None:
    """The same decision by another method, else its two-sided test of the estimand."""
    for name in (f"{method} for {d.decision}", f"{method}: {d.estimand}"):
        if name in d.comparators:
            return d.comparators[name].value
    return None
