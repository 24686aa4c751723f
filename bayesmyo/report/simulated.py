"""Power and calibration as blocks of a terminal: tables first, then sentences."""

from collections.abc import Mapping, Sequence

from bayesmyo.report.blocks import SPACE, Block, Cell, Heading, Items, Paragraph, Table
from bayesmyo.report.known import sources
from bayesmyo.report.numbers import plain
from bayesmyo.report.simulations import dry_run
from bayesmyo.simulation.calibration.verdict import CellCalibration
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.drift import DRIFT
from bayesmyo.simulation.power.operating import POSTERIOR, DecisionPower
from bayesmyo.simulation.power.rates import Mean, Rate

MOST = 15  # quantities of a calibration that are shown
BESIDE = (
    "Beside: the same rule by other methods (a flat prior), or a two-sided test of no change where they have no such "
    "rule. Where a decision is not true, what is met is type I error."
)


def power_blocks(answer: PowerAnswer, plan: Plan) -> list[Block]:
    """Every decision of every cell, and when it is met; every estimand; sentences."""
    last = answer.last()
    varied = list(dict.fromkeys(k for d in last for k in d.labels if k not in ("scenario", "patients")))
    axes = [v.replace("_", " ") for v in varied]
    methods = list(dict.fromkeys(_method(m) for d in last for m in d.comparators))
    headers = ("decision", "scenario", *axes, "n", "met", "error", "P", "failed", "if failed", *methods)
    rows: list[tuple[Cell, ...]] = []
    for d in last:
        lost = sum(d.failed.values())
        bounds = f"{points(d.worst)}-{points(d.best)}" if lost else "-"
        rows.append((
            d.decision, f"{d.labels.get('scenario', '')}{' (not true)' if d.null else ''}", *_values(d.labels, varied), plain(d.look),
            points(d.rate.value), points(d.rate.mcse, 1), points(d.expected.value), plain(lost), bounds,
            *(points(_beside(d, m)) for m in methods),
        ))  # fmt: skip
    caption = (
        "Decisions: met in % of studies, with its Monte Carlo error; P, the probability that the rule looks at, on "
        "average in %"
    )
    blocks: list[Block] = [Table("power", caption, headers, tuple(rows))]
    blocks += [Paragraph(f"{name} is met when {d.rule()}.") for name, d in plan.cells[0].analysis.decisions.items()]
    blocks += [
        *([Paragraph(BESIDE)] if methods else []),
        SPACE,
        *_estimands(answer, varied, bool(methods)),
        *_claims(answer, varied),
    ]
    first = plan.cells[0]
    blocks += sources(first.study if DRIFT in first.labels else first.analysis)
    if dry := dry_run(plan.engine):
        blocks.append(Paragraph(dry, "failed"))
    chosen = answer.chosen()
    blocks.append(Items(tuple(chosen)))
    if len(chosen) < len(answer.sentences):
        blocks.append(Paragraph("All other numbers of patients and designs are in the first table."))
    return blocks


def _estimands(answer: PowerAnswer, varied: Sequence[str], compared: bool) -> list[Block]:
    """How well each estimand would be known, at the last look of every cell."""
    cells = {d.cell for d in answer.last()}
    rows = tuple(
        (e.estimand, str(e.labels.get("scenario", "")), *_values(e.labels, varied), plain(e.look), plain(e.bias.value), plain(e.bias.mcse),
         points(e.coverage.value), plain(e.width.value), points(e.sign.value if e.sign else None, 1),
         plain(e.magnitude.value if e.magnitude else None))
        for e in answer.estimands if e.cell in cells and e.method == POSTERIOR
    )  # fmt: skip
    if not rows:
        return []
    axes = [v.replace("_", " ") for v in varied]
    headers = ("estimand", "scenario", *axes, "n", "bias", "error", "cover", "width", "S", "M")
    caption = "Estimands: bias with its Monte Carlo error, coverage and type S error in %, type M error as a factor"
    others = [Paragraph("Those of other methods are in estimands.csv.")] if compared else []
    return [Table("estimands", caption, headers, rows), *others, SPACE]


def _claims(answer: PowerAnswer, varied: Sequence[str]) -> list[Block]:
    """What every claim would be worth."""
    rows = tuple(
        (c.decision, str(c.labels.get("scenario", "")), *_values(c.labels, varied), plain(c.patients), points(c.made.value),
         _true(c.true), f"{plain(c.bias.value)} ({plain(c.bias_made.value)})",
         f"{points(c.coverage.value)} ({points(c.coverage_made.value)})")
        for c in answer.claims if c.made.of
    )  # fmt: skip
    if not rows:
        return []
    axes = [v.replace("_", " ") for v in varied]
    headers = ("decision", "scenario", *axes, "n", "claimed", "true", "bias", "cover")
    caption = (
        "For a protocol: in % of studies a claim is made, in % of them it is true (95% Monte Carlo interval); bias, and "
        "coverage in %, over all studies (over those with the claim)"
    )
    return [Table("claims", caption, headers, rows), SPACE]


def _true(r: Rate | None) -> str:
    return "-" if r is None or r.lower is None else f"{points(r.value)} ({points(r.lower)}-{points(r.upper)})"


def calibration_blocks(cells: Sequence[CellCalibration]) -> list[Block]:
    """Each cell's verdict, with its worst quantities and coverage."""
    return [b for c in cells for b in _calibrated(c)]


def _calibrated(c: CellCalibration) -> list[Block]:
    truths = "the priors" if "truths" in c.labels else "the posterior of the fit, its patients measured once more"
    heading = (
        f"{c.patients} patients, truths from {truths}: {c.replicates} replicates, {sum(c.failed.values())} failed, "
        f"{c.divergent} with divergences, {c.again} sampled twice"
    )
    worst = sorted(c.quantities, key=lambda q: q.p)
    rows = tuple(
        (q.name, "<0.0001" if q.adjusted < 1e-4 else f"{q.adjusted:.2g}", *(points(r.value) for r in q.coverage.levels.values()),
         plain(_in_errors(q.coverage.bias)))
        for q in worst[:MOST]
    )  # fmt: skip
    levels = [f"{100 * level:g}%" for level in (worst[0].coverage.levels if worst else ())]
    caption = "Coverage of intervals in %, bias in its Monte Carlo errors; the least uniform first"
    more = [Paragraph(f"and {len(worst) - MOST} more in calibration.parquet")] if len(worst) > MOST else []
    verdict = Paragraph(f"passed  {c.sentence}") if c.passed else Paragraph(f"FAILED  {c.sentence}", "failed")
    headers = ("quantity", "adjusted p", *levels, "bias in errors")
    return [Heading(heading), Table("calibration", caption, headers, rows), *more, verdict, SPACE]


def _values(labels: Mapping[str, str | float], varied: Sequence[str]) -> list[str]:
    """What a cell has of everything that varies."""
    return [f"{v:g}" if isinstance(v := labels.get(k, "-"), float | int) else v for k in varied]


def _in_errors(bias: Mean) -> float | None:
    """A bias in its Monte Carlo errors: beyond three it is one."""
    return bias.value / bias.mcse if bias.mcse and bias.value is not None else None


def points(value: float | None, decimals: int = 0) -> str:
    """A share in percent."""
    return "-" if value is None else f"{100 * value:.{decimals}f}"


def _method(comparator: str) -> str:
    return comparator.split(" for ")[0].split(":")[0]


def _beside(d: DecisionPower, method: str) -> float | None:
    """The same decision by another method, else its two-sided test of the estimand."""
    for name in (f"{method} for {d.decision}", f"{method}: {d.estimand}"):
        if name in d.comparators:
            return d.comparators[name].value
    return None
