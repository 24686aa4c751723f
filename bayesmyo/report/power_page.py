"""A power study as a page for a protocol: what is asked of whom, what is true, how often it would be found, and how that was computed."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields

from bayesmyo._version import __version__
from bayesmyo.cohort import planned
from bayesmyo.components.decisions import Decision
from bayesmyo.components.numbers import listing
from bayesmyo.figures.power_curves import power_curves
from bayesmyo.model.engines import ENGINES
from bayesmyo.report.blocks import (
    Block,
    Cell,
    Code,
    Heading,
    Items,
    Number,
    Paragraph,
    Section,
    Table,
    Terms,
    counted,
    stated,
)
from bayesmyo.report.numbers import count, decimals, error_of, number
from bayesmyo.report.page import Page
from bayesmyo.report.pictures import picture
from bayesmyo.report.sections.model import in_words
from bayesmyo.report.sections.planning import UNFINISHED, share
from bayesmyo.report.sections.priors import prior_cells
from bayesmyo.report.sections.question import author
from bayesmyo.report.sections.references import of_study
from bayesmyo.report.simulations import asks
from bayesmyo.simulation.cell import Cell as Simulation
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.operating import FOR, DecisionPower
from bayesmyo.simulation.power.words import called
from bayesmyo.simulation.store import Results
from bayesmyo.study import describe
from bayesmyo.study.scenarios import stated_values
from bayesmyo.study.statements import Statements
from bayesmyo.study.study import Study
from bayesmyo.study.write import to_toml

MOST = 12  # sentences of the summary
DRY = "DRY RUN: the engine does not draw from the posterior, and no number on this page says anything."
METHODS = (
    "Simulation studies and their Monte Carlo errors: Morris, White and Crowther (2019), https://doi.org/10.1002/sim.8086",
    "Assurance: O'Hagan, Stevens and Campbell (2005), https://doi.org/10.1002/pst.175",
    "Errors of sign and magnitude: Gelman and Carlin (2014), https://doi.org/10.1177/1745691614551642",
    "Exact intervals of shares: Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404",
    "Sampling: Hoffman and Gelman (2014), https://jmlr.org/papers/v15/hoffman14a.html",
    "Estimands: International Council for Harmonisation, E9(R1) (2019)",
)


def power_page(
    found: Results,
    answer: PowerAnswer,
    target: float,
    futility: float | None = None,
    statements: Statements | None = None,
) -> Page:
    """All that a power study says, for a reader who was not there.

    found: the folder; answer: what its tables say, with that target and futility; statements: what only the author knows
    """
    cells = found.plan.cells
    study, said = cells[0].analysis, statements or Statements()
    sections = (
        _summary(found, answer),
        _question(study, said),
        _design(cells),
        _model(study, said),
        _power(answer, target),
        _estimates(answer),
        _computed(found, command(found, target, futility)),
        Section("references", "References", (Items((*METHODS, *of_study(study))),)),
    )
    return Page(study.title, tuple(s for s in sections if s.blocks), True, _standing(found))


def _standing(found: Results) -> str:
    """What kind of page this is, in a line."""
    if not ENGINES[found.plan.engine].posterior:
        return DRY
    if not found.complete:
        return UNFINISHED
    return f"A study that is planned: {counted(len(found.replicates), 'simulated cohort')}, each fitted as the real one would be."


def _summary(found: Results, answer: PowerAnswer) -> Section:
    blocks: list[Block] = []
    if not ENGINES[found.plan.engine].posterior:
        blocks.append(Paragraph(DRY, "failed"))
    if not found.complete:
        blocks.append(Paragraph(UNFINISHED, "failed"))
    said = _chosen(answer) if ENGINES[found.plan.engine].posterior else ()
    blocks += [Paragraph(s, "claim") for s in said]
    if said and len(said) < len(answer.sentences):
        blocks.append(Paragraph("What every design would find is in the table under Power.", "note"))
    if failed := int((found.replicates["stage"] != "done").sum()):
        blocks.append(
            Paragraph(
                f"{failed:,} of {len(found.replicates):,} cohorts could not be fitted; they are counted beside.", "note"
            )
        )
    return Section("summary", "In plain language", tuple(blocks))


def _chosen(answer: PowerAnswer) -> Sequence[str]:
    """All sentences, or where they are many those of one design and the middle number of patients, and how many patients it takes."""
    last = answer.last()
    if len(answer.sentences) <= MOST or not last:
        return answer.sentences
    numbers = sorted({d.look for d in last})
    first = _design_of(last[0])
    own = [
        s
        for d, s in zip(last, answer.sentences, strict=False)
        if d.look == numbers[len(numbers) // 2] and _design_of(d) == first
    ]
    return [*own, *answer.sentences[len(last) :]]


def _design_of(d: DecisionPower) -> str:
    return called({k: v for k, v in d.labels.items() if k != "scenario"})


def _question(study: Study, s: Statements) -> Section:
    blocks: list[Block] = [
        *author(s),
        Heading("What is to be estimated"),
        Terms(
            tuple(
                (name, f"{describe.number(study, e)}, {describe.population(e)} ({describe.summary(study, e)})")
                for name, e in study.estimands.items()
            )
        ),
        Heading("When the answer is yes"),
        Terms(tuple((name, _rule(d)) for name, d in study.decisions.items())),
    ]
    return Section("question", "The question", tuple(blocks))


def _rule(d: Decision) -> str:
    """A decision by its keys, as the study file states it."""
    pairs = [(f.metadata.get("key", f.name), getattr(d, f.name)) for f in fields(d) if f.name != "kind"]
    return f"{d.kind}: " + ", ".join(
        f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in pairs if v is not None
    )


def _design(cells: Sequence[Simulation]) -> Section:
    """Every design that was simulated, what it comes to, and what is true."""
    study, unit = cells[0].study, cells[0].study.time.unit
    designs = {}
    for c in cells:
        label = called({k: v for k, v in c.labels.items() if k != "scenario"})
        if c.study.design is not None and label not in designs:
            designs[label] = c.study.design
    found = {label: planned.schedule(study, d) for label, d in designs.items()}
    times = [t for t in next(iter(found.values())).seen if t > next(iter(designs.values())).visits.first[0]]
    rows: list[tuple[Cell, ...]] = []
    for label, s in found.items():
        low, mean, high = (f"{v:.3g}" for v in s.visits)
        seen = (share(s.seen[t], None) for t in times)
        rows.append((label, f"{mean} ({low} to {high})", number(s.last[1]), share(s.lost, None), *seen))
    headers = (
        "design", "visits of a patient (nine of ten)", f"last visit, {unit}", "lost before the end", *(f"has the visit planned for {unit} {t:g}, or a later one" for t in times)
    )  # fmt: skip
    numbers = listing([f"{n:,}" for n in sorted({c.patients for c in cells})])
    text = describe.design(study, next(iter(designs.values())), numbers)
    blocks: list[Block] = [
        Paragraph(text if len(designs) == 1 else f"{len(designs)} designs were simulated; the first: {text}"),
        Table("designs", "What each design comes to: shares of patients", headers, tuple(rows)),
    ]
    return Section("design", "Whom, and when", (*blocks, *_truths(cells)))


def _truths(cells: Sequence[Simulation]) -> list[Block]:
    """What is true in each scenario, and which decisions would be right."""
    named = {c.truths: c for c in cells if isinstance(c.truths, str)}
    blocks: list[Block] = []
    rows: list[tuple[Cell, ...]] = []
    for scenario, c in named.items():
        study = c.study
        title = study.scenarios[scenario].title
        for estimand, v in planned.true_values(study, scenario, c.analysis.decisions).items():
            reach = f"{number(v.lower).text} to {number(v.upper).text}" if v.lower is not None else "-"
            right = "; ".join(
                f"{d}: {'-' if p is None else {0.0: 'no', 1.0: 'yes'}.get(p, f'in {p:.0%}')}"
                for d, p in v.right.items()
            )
            rows.append((scenario + (f" ({title})" if title else ""), estimand, number(v.value), reach, right or "-"))
    if rows:
        blocks.append(Heading("What is taken to be true"))
        headers = (
            "scenario",
            "estimand",
            "true value (the median, where it varies)",
            "nine of ten true values",
            "right to be met",
        )
        blocks.append(
            Table(
                "truths",
                "True values; where a decision is not right to be met, its power is its type I error",
                headers,
                tuple(rows),
            )
        )
    if named:
        blocks.append(_values({name: c.study for name, c in named.items()}))
    if any(not isinstance(c.truths, str) for c in cells):
        blocks.append(
            Paragraph(
                "Truths are draws from the posterior of a fit: what is asked is the predictive power of a further study."
            )
        )
    return blocks


def _values(studies: Mapping[str, Study]) -> Table:
    """Every parameter that the scenarios state, an SD between patients among them."""
    stated_in = {name: stated_values(study.scenarios, name) for name, study in studies.items()}
    keys = dict.fromkeys((o, k) for values in stated_in.values() for o, listed in values.items() for k in listed)
    rows = tuple(
        (
            f"{o}: {k}",
            *(
                f"{v:g}" if isinstance(v := values.get(o, {}).get(k, "-"), float | int) else str(v)
                for values in stated_in.values()
            ),
        )
        for o, k in keys
    )
    caption = "What each scenario states: levels in outcome units, SDs and correlations on the scale of the model"
    return Table("scenario_values", caption, ("parameter", *stated_in), rows, folded=len(rows) > 20)


def _believed(study: Study) -> list[Block]:
    """What the priors hold likely of the estimands."""
    if study.design is None:
        return []
    rows = tuple(
        (name, f"{number(m).text} ({number(low).text} to {number(high).text})")
        for name, (low, m, high) in planned.prior_values(study).items()
    )
    caption = "What these priors hold likely of the estimands, in outcome units"
    return (
        [Table("prior_estimands", caption, ("estimand", f"prior median ({study.interval:.0%} interval)"), rows)]
        if rows
        else []
    )


def _model(study: Study, said: Statements) -> Section:
    """The analysis that is planned: its model and its priors."""
    lines = describe.priors(study)
    rows = tuple((f"{p.outcome}: {p.parameter}", *prior_cells(p)) for p in lines)
    headers = ("parameter", "prior", "clinical unit", f"prior median ({study.interval:.0%} interval)")
    table = Table("priors", "Priors of the analysis, in clinical units", headers, rows, folded=len(rows) > 30)
    return Section(
        "model",
        "The analysis",
        (
            *in_words(study),
            Heading("Priors"),
            *([Paragraph(stated(said.priors))] if said.priors else []),
            table,
            *_believed(study),
        ),
    )


def _power(answer: PowerAnswer, target: float) -> Section:
    """Operating characteristics of every decision."""
    last = answer.last()
    methods = list(dict.fromkeys(m.split(FOR)[0] for d in last for m in d.comparators if FOR in m))
    rows = tuple(_row(d, methods) for d in last)
    headers = (
        "decision", "truth and design", "patients", "true value", "studies", "not fitted", "met", "Monte Carlo error", "exact 95% interval",
        "if those not fitted had not met it, or had", "mean probability", *(f"by {m}" for m in methods),
    )  # fmt: skip
    caption = "How often each decision is met; where it is not right to be met this is the type I error"
    blocks: list[Block] = []
    if any(d.rate.value is not None for d in last):
        words = "; ".join(
            f"{d.decision}, {called(d.labels)}, {d.look} patients: {share(d.rate.value, d.rate.mcse).text}"
            for d in last
        )
        blocks.append(
            picture(
                power_curves(answer.decisions, target),
                "figure-power",
                "How often each decision is met, by the number of patients",
                words,
            )
        )
    blocks.append(Table("power", caption, headers, rows))
    if methods:
        blocks.append(
            Paragraph("Other methods judge the same rule on the same cohorts, as a flat prior would make it.", "note")
        )
    return Section("power", "Power", (*blocks, *_smallest(answer), *_looks(answer)))


def _smallest(answer: PowerAnswer) -> list[Block]:
    """How many patients a power asks for."""
    rows: list[tuple[Cell, ...]] = []
    for s in answer.smallest:
        patients = "-" if s.found.patients is None else count(s.found.patients)
        ends = f"{s.found.lower} to {s.found.upper}" if s.found.lower is not None and s.found.upper is not None else "-"
        rows.append((s.decision, called(s.labels), share(s.found.target, None), patients, ends, s.found.sentence))
    headers = ("decision", "truth and design", "power asked for", "patients", "95% interval", "in words")
    caption = "The smallest number of patients with that power; the interval is Monte Carlo error"
    return [Heading("How many patients"), Table("smallest", caption, headers, tuple(rows))] if rows else []


def _looks(answer: PowerAnswer) -> list[Block]:
    """Where a study with interim looks would stop."""
    rows: list[tuple[Cell, ...]] = []
    for s in answer.looks:
        for stop in s.stops:
            met, futile = (share(r.value, r.mcse) for r in (stop.success, stop.futility))
            rows.append((s.decision, called(s.labels), count(stop.look), met, futile))
    headers = ("decision", "truth and design", "look after", "stopped: met", "stopped: futile, or ended unmet")
    caption = "Shares of all studies that stop at each look"
    return [Heading("Interim looks"), Table("looks", caption, headers, tuple(rows))] if rows else []


def _row(d: DecisionPower, methods: Sequence[str]) -> tuple[Cell, ...]:
    r, lost = d.rate, sum(d.failed.values())
    bounds = f"{share(d.worst, r.mcse).text} to {share(d.best, r.mcse).text}" if lost else "-"
    beside = [d.comparators.get(f"{m}{FOR}{d.decision}") for m in methods]
    what = called(d.labels) + (" (not right to be met)" if d.null else "")
    return (
        d.decision, what, count(d.look), Number(None, "-") if d.assurance else number(d.truth), count(d.replicates), count(lost), share(r.value, r.mcse), decimals(r.mcse or None, 3),
        f"{share(r.lower, r.mcse).text} to {share(r.upper, r.mcse).text}" if r.of else "-", bounds, share(d.expected.value, d.expected.mcse),
        *(share(b.value, b.mcse) if b else Number(None, "-") for b in beside),
    )  # fmt: skip


def _estimates(answer: PowerAnswer) -> Section:
    """How well each estimand is estimated."""
    most = {d.cell: d.look for d in answer.last()}
    rows = tuple(
        (
            e.estimand, called(e.labels), count(e.look), e.method, number(e.truth), number(e.bias.value, e.bias.mcse or 0.0), error_of(e.bias.mcse),
            share(e.coverage.value, e.coverage.mcse), number(e.width.value, e.width.mcse or 0.0),
            share(e.sign.value if e.sign else None, None), decimals(e.magnitude.value if e.magnitude else None, 2),
        )
        for e in answer.estimands if e.look == most[e.cell]
    )  # fmt: skip
    if not rows:
        return Section("estimates", "", ())
    headers = (
        "estimand", "truth and design", "patients", "method", "true value", "bias of the median", "Monte Carlo error", "coverage", "width", "type S", "type M",
    )  # fmt: skip
    caption = "How well each estimand is estimated. Type S and M: of intervals that exclude no change, the share on the wrong side, and the factor by which they exaggerate"
    return Section("estimates", "How well it would be known", (Table("estimates", caption, headers, rows),))


def _computed(found: Results, typed: str) -> Section:
    plan, rows = found.plan, found.replicates
    s = plan.sampling
    again = int((rows["attempts"] > 1).sum())
    much = (
        f"at most {plan.replicates:,} for each cell, until the Monte Carlo error is {plan.mcse:g}"
        if plan.mcse
        else f"{plan.replicates:,} for each cell"
    )
    terms = (
        ("Replicates", f"{much}; {len(rows):,} in all, {int((rows['stage'] != 'done').sum()):,} of them not fitted"),
        ("Sampling", f"{s.chains} chains of {s.draws} draws after {s.tune} of adaptation, by {plan.engine}; {again:,} cohorts were sampled again, "
                     f"longer, because short chains disagreed; {int((rows['divergences'] > 0).sum()):,} with divergences"),
        ("Seed", str(plan.seed)),
        ("SHA-256 of the plan", plan.key),
        ("Versions", ", ".join(f"{k} {v}" for k, v in found.versions.items()) + f"; page by bayesmyo {__version__}"),
    )  # fmt: skip
    study, other = plan.cells[0].study, _another(plan.cells[0])
    blocks: list[Block] = [Terms(terms), Code("Command", typed)]
    if other:
        blocks.append(Code("The study that simulates (study.toml), in its first design", to_toml(study), folded=True))
        blocks.append(Code("The study that analyses (analysis.toml)", to_toml(plan.cells[0].analysis), folded=True))
    else:  # what analyses is the study before its design was varied
        blocks.append(Code("The study (study.toml)", to_toml(plan.cells[0].analysis), folded=True))
    return Section("reproduce", "To do it again", tuple(blocks))


def _another(c: Simulation) -> bool:
    """Whether another study analyses what one simulates."""
    return asks(c.study) != asks(c.analysis)


def command(found: Results, target: float, futility: float | None = None) -> str:
    """What to type."""
    plan = found.plan
    values: dict[str, list[str]] = {}
    for c in plan.cells:
        for k, v in c.labels.items():
            text = repr(v).removesuffix(".0") if isinstance(v, float | int) else str(v)
            if text not in values.setdefault(k, []):
                values[k].append(text)
    options = []
    for key, listed in values.items():
        if key == "scenario" and not isinstance(plan.cells[0].truths, str):
            options.append("--from-fit fit.nc")
        elif key == "visits":
            options.append(f"--visits {'/'.join(v.replace(' ', ',') for v in listed)}")
        else:
            options.append(f"--{key.replace('_', '-')} {','.join(listed)}")
    if interim := sorted({look for c in plan.cells for look in c.looks[:-1]}):
        options.append(f"--looks {','.join(map(str, interim))}")
    if _another(plan.cells[0]):
        options.append("--analysis analysis.toml")
    options.append(f"--replicates {plan.replicates}" + ("" if plan.mcse is None else f" --mcse {plan.mcse!r}"))
    options.append(f"--comparators {shlex.quote(','.join(plan.comparators) or 'none')} --target {target!r}")
    options.append(
        ("" if futility is None else f"--futility {futility!r} ") + f"--engine {plan.engine} --seed {plan.seed}"
    )
    return f"bayesmyo power study.toml -o power {' '.join(options)}"
