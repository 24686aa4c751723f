"""What a fit answers: the cells of each answer, from which a terminal and a page choose their columns, and the blocks
of a terminal."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.compare import Comparison
from bayesmyo.assess.correlations import Correlation
from bayesmyo.assess.estimate import DecisionResult, Estimate, ParameterEstimate
from bayesmyo.assess.influence import Influence, PatientInfluence
from bayesmyo.assess.responses import Category, PatientResponse, Responses
from bayesmyo.assess.tip import Row, Tip, TippingPoint
from bayesmyo.assess.verdict import SILENT, explained
from bayesmyo.components.numbers import Number, chance
from bayesmyo.inference.verify import Verification
from bayesmyo.report.blocks import SPACE, WITHHELD, Block, Cell, Heading, Items, Paragraph, Span, Table, note, table
from bayesmyo.report.known import sources
from bayesmyo.report.numbers import count, declared, error_of, fixed, number, plain, rhat
from bayesmyo.study import describe
from bayesmyo.study.study import Study

Cells = dict[str, Cell]
EITHER = 0.01  # of a patient's category: a Monte Carlo error that leaves two decimals


class Answer(Protocol):
    """What may be withheld."""

    @property
    def withheld(self) -> bool: ...

    @property
    def sentence(self) -> str: ...


def told(row: Answer, **cells: Cell) -> Cells:
    """The numbers of a row, or the word in the place of each where they are not for a reader."""
    return dict.fromkeys(cells, WITHHELD) if row.withheld else cells


def estimate(e: Estimate) -> Cells:
    """An estimand, asked of a population or of one patient."""
    lower, median, upper = e.numbers
    numbers = told(
        e, median=median, lower=lower, upper=upper, interval=Span(lower, upper), mean=e.number(e.mean, e.mcse), sd=e.number(e.sd),
        probability=e.chance,
    )  # fmt: skip
    event = f"{e.direction} {declared(e.threshold)}" if e.direction else "-"
    how = {"population": e.population, "summary": e.summary, "verdict": verdict_of(e), "event": event}
    return {"name": e.name, "unit": e.unit, "ess": fixed(e.ess, ",.0f"), **how, **numbers}


def decision(d: DecisionResult) -> Cells:
    """A decision, and by how much its rule is met or missed."""
    numbers = told(d, met="yes" if d.met else "no", probability=d.chance, margin=Number(d.margin, d.mcse))
    error = number(None) if d.withheld else error_of(d.mcse)
    return {"name": d.name, "kind": d.kind, "estimand": d.estimand, "error": error, "verdict": verdict_of(d), **numbers}


def verdict_of(row: Estimate | DecisionResult | Correlation | Category) -> str:
    """Prior against data; of what is withheld for another reason, nothing."""
    return row.verdict or "" if not row.withheld or row.verdict == SILENT else ""


def meanings(rows: Sequence[Estimate | DecisionResult | Correlation | Category]) -> list[Block]:
    """What the verdicts of a table mean, each once."""
    said = explained(map(verdict_of, rows))
    return [SPACE, Items(tuple(said), "note")] if said else []


def parameter(p: ParameterEstimate) -> Cells:
    """A parameter on the scale of the model, and its prior."""
    lower, _, upper = p.numbers
    return {
        "name": p.name, "mean": p.number(p.mean, p.mcse), "sd": p.number(p.sd, p.mcse_sd), "interval": Span(lower, upper),
        "rhat": rhat(p.rhat), "ess_bulk": fixed(p.ess_bulk, ",.0f"), "ess_tail": fixed(p.ess_tail, ",.0f"), "unit": p.unit,
        "prior": Span(str(plain(p.prior_lower)), str(plain(p.prior_upper))),
    }  # fmt: skip


def correlation(c: Correlation) -> Cells:
    """A correlation between what patients have of their own, and what the prior held likely."""
    r, lower, upper, first, last = (fixed(v, ".2f") for v in (c.median, c.lower, c.upper, c.prior_lower, c.prior_upper))
    names: Cells = {"first": c.first, "second": c.second, "prior": Span(first, last), "verdict": verdict_of(c)}
    names["before"] = fixed(c.prior_median, ".2f")
    return names | told(c, r=r, interval=Span(lower, upper))


def category(c: Category) -> Cells:
    """How many patients have a category of response."""
    ends, bounds = Span(str(c.lower), str(c.upper)), Span(str(c.worst), str(c.best))
    numbers = told(c, patients=count(c.median), interval=ends, mean=fixed(c.mean, ".1f"), bounds=bounds)
    return {"name": c.name, "criteria": c.criteria, "verdict": verdict_of(c), **numbers}


def response(p: PatientResponse) -> Cells:
    """The probability of each category in one patient."""
    chances = {f"in {name}": chance(value, EITHER) for name, value in p.probabilities.items()}
    how = "measured" if p.seen else "predicted"
    return {"patient": p.patient, "last": plain(p.last_seen), "judged": how, **chances}


def left_out(p: PatientInfluence) -> Cells:
    """What leaving a patient out, or a level of a group, does."""
    return {
        "patient": p.patient, "measurements": count(p.measurements), "last": plain(p.last), "moved": p.moved, "shift": number(p.shift),
        "score": fixed(p.score, ".1f"), "mcse": plain(p.mcse), "flips": ", ".join(p.flips), "method": p.method,
        "refit": "rough" if p.rough else "good",
    }  # fmt: skip


def sentences(rows: Iterable[Answer]) -> Items:
    """What may be said, each sentence once."""
    return Items(tuple(dict.fromkeys(r.sentence for r in rows)))


def estimates(rows: Sequence[Estimate], study: Study) -> list[Block]:
    """Estimands as a table, and as sentences."""
    if not rows:
        other = "`bayesmyo estimate FIT --parameters` prints the parameters"
        return [Paragraph(f"The study declares no estimands; {other}."), SPACE]
    below = {k: k for k in ("population", "summary", "verdict")}
    columns = {"estimand": "name", "median": "median", _band(study): "interval", "unit": "unit", "ess": "ess", **below}
    shown = table("estimates", "", columns, map(estimate, rows), below=tuple(below))
    return [shown, SPACE, sentences(rows), *meanings(rows), *sources(study)]


def decisions(rows: Sequence[DecisionResult], study: Study) -> list[Block]:
    """Decisions as a table, and as sentences."""
    if not rows:
        return [Paragraph("The study declares no decisions."), SPACE]
    columns = {"decision": "name", **{k: k for k in ("kind", "met", "probability", "margin", "verdict")}}
    shown = table("decisions", "", columns, map(decision, rows))
    return [shown, SPACE, sentences(rows), *meanings(rows), *sources(study)]


def parameters(rows: Sequence[ParameterEstimate], study: Study) -> list[Block]:
    """Parameters as a table."""
    below = {"unit": "unit", f"prior's {_band(study)}": "prior"}
    columns = {"parameter": "name", "mean": "mean", "sd": "sd", _band(study): "interval"}
    columns |= {"rhat": "rhat", "ess bulk": "ess_bulk", "ess tail": "ess_tail", **below}
    return [table("parameters", "", columns, map(parameter, rows), below=tuple(below))]


def correlations(rows: Sequence[Correlation], study: Study) -> list[Block]:
    """Correlations as a table, and those of changes, which a reader asks for first, as sentences."""
    if not rows:
        return [Paragraph("The study declares no correlations."), SPACE]
    band = _band(study)
    columns = {"patients' own": "first", "and": "second", "r": "r", band: "interval"}
    columns |= {f"prior's {band}": "prior", "verdict": "verdict"}
    shown = table("correlations", "", columns, map(correlation, rows), below=("verdict",))
    return [shown, SPACE, sentences(of_changes(rows)), *meanings(rows)]


def of_changes(rows: Sequence[Correlation]) -> list[Correlation]:
    """Do improvements come together? All of them where none is of two changes."""
    return [c for c in rows if c.first.endswith(" change") and c.second.endswith(" change")] or list(rows)


def each_patient(rows: Sequence[Estimate], study: Study, estimand: str) -> list[Block]:
    """What is asked of each patient, and a row for each; why not, where it is withheld."""
    asked, e = describe.own_number(study, study.estimands[estimand]), rows[0]
    event = f"probability {e.direction} {e.threshold:g}" if e.direction else "probability"
    columns = {"patient": "name", "median": "median", "mean": "mean", "sd": "sd", _band(study): "interval"}
    columns |= {event: "probability", "ess": "ess"}
    heading = Heading(f"In each patient: {asked} ({e.unit})")
    return [heading, table("each_patient", "", columns, map(estimate, rows)), sentences(r for r in rows if r.withheld)]


def responses(rules: Sequence[Responses], study: Study) -> list[Block]:
    """Each rule's counts with their bounds, in sentences, and patient by patient."""
    blocks: list[Block] = [] if rules else [Paragraph("The study declares no responses.")]
    columns = {"category": "name", "patients": "patients", _band(study): "interval", "mean": "mean"}
    columns |= {"none or all predicted": "bounds", "verdict": "verdict"}
    for n, rule in enumerate(rules):
        counts = table(f"responses_{rule.name}", "", columns, map(category, rule.categories), below=("verdict",))
        blocks += [SPACE] if n else []
        blocks += [Heading(f"{rule.name}{titled(rule)}"), counts, sentences(rule.categories), _by_patient(rule, study)]
    notes = (note(f"Note: {n}") for n in dict.fromkeys(n for r in rules for n in r.notes))
    return [*blocks, *notes, *meanings([c for r in rules for c in r.categories])]


def titled(rule: Responses) -> str:
    """What follows the name of a rule."""
    return f"{" (the study's own rule)" if rule.rule else ''}{f': {rule.title}' if rule.title else ''}"


def _by_patient(rule: Responses, study: Study) -> Table:
    held = {f"in {c.name}": WITHHELD for c in rule.categories if c.withheld}
    rows = [{**response(p), "missing": _missing(study, rule, p), **held} for p in rule.each]
    columns = {"patient": "patient", "last seen": "last", "last measured before": "missing", "judged": "judged"}
    own = [(c.name, f"in {c.name}") for c in rule.categories]
    return table(f"each_{rule.name}", "", [*columns.items(), *own], rows)


def _missing(study: Study, rule: Responses, p: PatientResponse) -> str:
    """Which outcomes of a rule were last measured before its time, and when."""
    when = {o: "never" if t is None else str(plain(t)) for o, t in p.missing.items()}
    if len(when) == len(rule.outcomes) > 1 and len(set(when.values())) == 1:
        return f"all {when.popitem()[1]}"
    return ", ".join(f"{study.label(o)} {t}" for o, t in when.items())


def influence(left: Influence, study: Study, who: str = "patient") -> list[Block]:
    """Patients, or levels of a group, the most influential first; what leaving one out does to each decision."""
    columns = {"measurements": "measurements", f"last {study.time.unit}": "last", "moves most": "moved"}
    columns |= {"by (SD)": "shift", "score": "score", "mcse": "mcse", "flips": "flips"}
    if len({p.method for p in left.patients}) > 1:
        columns |= {"by": "method"}
    said = left.sentences or ("The study declares no decision that a patient could flip.",)
    rough = _rough([p.patient for p in left.patients if p.rough])
    cells = table("influence", "", [(who, "patient"), *columns.items()], map(left_out, left.patients), below=("flips",))
    return [cells, SPACE, Items((*said, *rough))]


def tip(t: Tip, tables: bool = False) -> list[Block]:
    """Who left, what became of them, and when a conclusion changes; every number by every amount, where it is asked for."""
    reasons, who = ", ".join(t.reasons), "patient" if t.patients == 1 else "patients"
    heading = Heading(f"{t.left} of {t.patients} {who} left ({reasons}); what if they {t.sentence}")
    columns = {k: k for k in ("conclusion", "of", "by the fit", "tips at", "then")}
    blocks: list[Block] = [heading]
    if any(t.amount for _ in t.points) and not t.prior:
        blocks += [table("tipping_points", "", columns, map(tipping, t.points)), SPACE]
    tables = tables or not (t.points or t.amount)
    which = "these numbers do" if tables else "--tables prints the numbers that do"
    none = Paragraph(f"No decision, and no estimand with a threshold, depends on it; {which}.")
    blocks.append(sentences(t.points) if t.points else none)
    if t.leaving:
        blocks += [SPACE, Paragraph(f"In a population a new patient leaves {t.leaving}.")]
    if tables:
        shown = {
            "course": "course",
            "by": "by",
            "kind": "kind",
            "name": "name",
            "median": "median",
            "interval": "interval",
        }
        shown |= {"probability": "probability", "met": "met"}
        blocks += [SPACE, table("tip", "", shown, map(by_amount, t.rows))]
    return blocks


def tipping(p: TippingPoint) -> Cells:
    """A tipping point."""
    numbers = told(
        p,
        **{
            "by the fit": p.before,
            "tips at": _by(p),
            "then": (p.after or "no conclusion") if p.after != p.before else "-",
        },
    )
    return {"conclusion": p.name, "of": p.group or p.kind, "outcomes": ", ".join(p.outcomes), **numbers}


def by_amount(r: Row) -> Cells:
    """A number by an amount."""
    groups = ", ".join(f"{k} {plain(v)}" for k, v in r.by_group.items())
    return {
        "course": r.course, "by": groups or _by(r), "kind": r.kind, "name": r.name, "median": number(r.median),
        "interval": "-" if r.lower is None else Span(number(r.lower), number(r.upper)), "probability": chance(r.probability),
        "met": "-" if r.met is None else "yes" if r.met else "no",
    }  # fmt: skip


def _by(row: TippingPoint | Row) -> Cell:
    """An amount: on the link scale, or in declared spreads of several outcomes."""
    if row.d is not None:
        return number(row.d)
    return "-" if row.spreads is None else f"{number(row.spreads)} spreads"


def comparisons(rows: Sequence[Comparison]) -> list[Block]:
    """Fits, the best first, and whether the data can rank them."""
    headers = ("fit", "score", "mcse", "difference", "se", "ranked", "most against", "study")
    cells = tuple(
        (c.name, fixed(c.score, ".1f"), *map(plain, (c.mcse, c.difference, c.se, c.ranked if c.sentence else "-", c.worst, c.title)))
        for c in rows
    )  # fmt: skip
    rough = [said for c in rows for said in _rough(c.rough, f" of {c.name}")]
    items = Items((*(c.sentence for c in rows if c.sentence), *rough))
    return [Table("comparisons", "", headers, cells, below=("study",)), SPACE, items]


def _rough(patients: Sequence[str], of: str = "") -> list[str]:
    names = ", ".join(patients)
    return [f"The short refits{of} without {names} did not converge well: their figures are rough."] if patients else []


def checked(c: CheckResult, with_table: bool) -> list[Block]:
    """The verdict of a check, and the table behind it."""
    rows = tuple(tuple(rhat(v) if k == "rhat" else plain(v) for k, v in row.items()) for row in c.table if with_table)
    said = f"{c.name}: {c.sentence}"
    verdict = Paragraph(f"passed  {said}") if c.passed else Paragraph(f"FAILED  {said}", "failed")
    who = [Items(c.who)] if c.who else []
    return [verdict, *who, *([Table(c.name, "", tuple(c.table[0]), rows)] if rows else [])]


def verification(v: Verification) -> list[Block]:
    """What was verified of a stored fit, and the versions that differ from those installed."""
    differing = {name: pair for name, pair in v.versions.items() if pair[0] != pair[1]}
    rows = tuple((name, *map(plain, pair)) for name, pair in differing.items())
    return [
        Paragraph(f"{v.path}: sha256 {v.sha256}"),
        *(b for c in v.checks for b in checked(CheckResult(c.name, c.passed, c.sentence), False)),
        Table("versions", "", ("package", "wrote the fit", "installed"), rows) if rows
        else Paragraph("Written with the versions that are installed."),
    ]  # fmt: skip


def _band(study: Study) -> str:
    return f"{study.interval:.0%} interval"
