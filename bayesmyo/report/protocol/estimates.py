"""How well each estimand would be known."""

from bayesmyo.report.blocks import Section, Table
from bayesmyo.report.numbers import count, error_of, fixed, number
from bayesmyo.report.sections.planning import share
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.words import called


def estimates(answer: PowerAnswer) -> Section:
    """How well each estimand is estimated."""
    most = {d.cell: d.look for d in answer.last()}
    rows = tuple(
        (
            e.estimand, called(e.labels), count(e.look), e.method, number(e.truth), number(e.bias.value, e.bias.mcse or 0.0), error_of(e.bias.mcse),
            share(e.coverage.value, e.coverage.mcse), number(e.width.value, e.width.mcse or 0.0),
            share(e.sign.value if e.sign else None, None), fixed(e.magnitude.value if e.magnitude else None, ".2f"),
        )
        for e in answer.estimands if e.look == most[e.cell]
    )  # fmt: skip
    if not rows:
        return Section("estimates", "", ())
    headers = (
        "estimand", "truth and design", "patients", "method", "true value", "bias of the median", "Monte Carlo error", "coverage", "width", "type S", "type M",
    )  # fmt: skip
    caption = (
        "How well each estimand is estimated. Type S and M: of intervals that exclude no change, the share on the "
        "wrong side, and the factor by which they exaggerate"
    )
    return Section("estimates", "How well it would be known", (Table("estimates", caption, headers, rows),))
