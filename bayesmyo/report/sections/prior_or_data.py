"""Prior against data: would another prior have said something else?"""

from bayesmyo.assess.verdict import PRIOR, SILENT, UNKNOWN, PriorSensitivity, explained
from bayesmyo.components.numbers import Number, chance, chance_error
from bayesmyo.report.blocks import WITHHELD, Block, Cell, Paragraph, Section, Table, note
from bayesmyo.report.numbers import fixed
from bayesmyo.report.results import Results

TOLD = (PRIOR, SILENT)
REWEIGHTED = (
    "by reweighting the draws, and where that cannot be trusted by sampling again, if the fit is small; else a number is "
    "not judged, and the option --refit samples again"
)
CONTRACTION = (
    "Contraction is near 1 where the data have said all, near 0 where nothing, and below 0 where the prior was surer than "
    "the posterior."
)
APART = (
    "the priors expect other values than the data show, and the answer is a compromise of both. Compare the prior's "
    "and the posterior's range of each parameter in the table “Priors and posteriors”; where the prior expects too "
    "much or too little, state another with a reason, from outside these data."
)
TOGETHER = "Prior and data do not pull apart: under power-scaling no number follows both."
UNTOLD = "Whether prior and data pull apart was NOT LOOKED AT; the option --refit does (power-scaling)."


def prior_or_data(r: Results) -> Section:
    if not r.sensitivities:
        why = (
            "Not judged: what the priors say of these patients needs the patients."
            if r.fit.shared
            else "Not judged: nothing is asked."
        )
        return Section("prior-or-data", "Prior or data", (note(why),))
    how = "by sampling again" if r.refitted else REWEIGHTED
    telling = [s for s in r.sensitivities if s.fact or (s.verdict in TOLD and not r.held(*s.outcomes))]
    unjudged = [s.name for s in r.sensitivities if s.verdict == UNKNOWN and not r.held(*s.outcomes)]
    blocks: list[Block] = [
        Paragraph(
            "Every prior was made half and twice as wide, and levels were centred half a prior SD lower and higher, "
            f"{how}. {' '.join(explained(s.verdict for s in r.sensitivities))} {CONTRACTION}"
        ),
        *(Paragraph(s.sentence, "withheld" if s.verdict == SILENT or s.fact else "plain") for s in telling),
        *([note(f"Not judged: {', '.join(unjudged)}.")] if unjudged else []),
        table(r),
    ]
    conflicts = [s.name for s in r.sensitivities if s.conflict]
    if conflicts:
        blocks.append(note(f"Prior and data pull apart in {', '.join(conflicts)}: {APART}"))
    elif r.refitted:
        blocks.append(Paragraph(TOGETHER, "passed"))
    else:
        blocks.append(note(UNTOLD))
    return Section("prior-or-data", "Prior or data", tuple(blocks))


def table(r: Results) -> Table:
    headers = (
        "number", "kind", "verdict", "contraction", "median", "with priors half as wide", "twice as wide", "probability", "with half", "with twice",
        "method", "Pareto k",
    )  # fmt: skip
    rows = tuple(_row(r, s) for s in r.sensitivities)
    return Table(
        "prior_sensitivity",
        "Every number that is told, under priors half and twice as wide",
        headers,
        rows,
        folded=True,
    )


def _row(r: Results, s: PriorSensitivity) -> tuple[Cell, ...]:
    k = fixed(s.pareto_k, ".2f")
    contraction = Number(s.contraction, said=f"{s.contraction:.2f}" if s.contraction > -1 else "below -1")
    if r.held(*s.outcomes):
        return (s.name, s.kind, WITHHELD, contraction, *([WITHHELD] * 6), s.method, k)
    e = next((e for e in r.estimates if e.name == (s.name if s.kind == "estimand" else _of(r, s))), None)
    written = e.numbers[1] if e else Number(s.median)
    medians = [written.of(m) for m in (s.median, s.median_half, s.median_double)]
    chances = [
        chance(p, 0.0 if p is None or e is None else chance_error(p, e.ess))
        for p in (s.probability, s.probability_half, s.probability_double)
    ]
    return (s.name, s.kind, s.verdict, contraction, *medians, *chances, s.method, k)


def _of(r: Results, s: PriorSensitivity) -> str:
    """The estimand of a decision; none of anything else."""
    return r.study.decisions[s.name].estimand if s.kind == "decision" else ""
