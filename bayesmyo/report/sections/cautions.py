"""What a change without a control group, and a difference between patients, do not say."""

from bayesmyo.components.numbers import listing
from bayesmyo.report.results import Results


def alone(r: Results) -> str:
    """Of a change over time that nothing is compared with: there is one in every report."""
    drug = r.study.treatment
    change = f"a change during {drug}, not what {drug} did" if drug else "a change over time, not what caused it"
    where = (
        "A change over time that is told of all patients together has no control group: it is"
        if r.contrasts
        else "There is no control group in this analysis. What is reported is"
    )
    return (
        f"{where} {change}: patients may change without treatment, other treatment counts too, "
        "and patients who start when they are at their worst tend to be better later (regression to the mean)."
    )


def compared(r: Results) -> str:
    """Of differences between patients, whether they differ in what they are or in what they were given; empty where
    none is asked."""
    if not r.contrasts:
        return ""
    pairs = "; ".join(f"{name}: {level} and {reference}" for name, level, reference in r.contrasts)
    names = listing(list(dict.fromkeys(name for name, _, _ in r.contrasts)))
    return (
        f"Two kinds of patients are compared ({pairs}). A difference between them is not by itself the effect of "
        f"{names}: unless chance alone has put patients into one kind or the other, the two may differ in much else, "
        "which no model can tell."
    )
