"""What was done, as the paragraph of a paper: only what the study states and the fit holds, with their numbers."""

from collections.abc import Iterator

from bayesmyo.assess.check import check
from bayesmyo.components.numbers import in_sentence, listing
from bayesmyo.inference.engines import ENGINES
from bayesmyo.inference.fit import Fit
from bayesmyo.report.blocks import Block, Heading, Items, Paragraph, counted
from bayesmyo.report.sections.references import METHODS, of_study
from bayesmyo.report.standing import standing
from bayesmyo.study import describe
from bayesmyo.study.describe_events import event_words
from bayesmyo.study.study import Study

DEFAULT = "nuts"
DONE = ("ArviZ", "R-hat", "Leave-one-out")  # references of what every fit and its checks rest on
OF_NUTS = ("Sampling", "PyMC", "E-BFMI")


def methods(fit: Fit) -> list[Block]:
    """The methods of a fit: the question, the model, the priors, the computation and the checks, with references.

    Nothing in it is a result. What only an author knows (eligibility, setting) is not in it either.

    Parameters
    ----------
    fit : Fit
        What was done.

    Returns
    -------
    list of Block
        Paragraphs and their references.
    """
    paragraphs = [*of_the_study(fit.study), computed(fit), judged(fit)]
    if not fit.shared:
        paragraphs[0] = f"{_whom(fit)} {paragraphs[0]}"
    done = DONE + OF_NUTS * (fit.engine == DEFAULT)
    done += ("Correlations",) * any(p.prior.startswith("lkj") for p in describe.priors(fit.study))
    used = [r for r in METHODS if r.startswith(done)]
    return [*map(Paragraph, paragraphs), Heading("References"), Items((*used, *of_study(fit.study)))]


def of_the_study(study: Study) -> list[str]:
    """What a study states of a model and its question, paragraph by paragraph: the same for every fit of it."""
    return [" ".join(_model(study)), " ".join(_priors(study)), " ".join(_asked(study))]


def _whom(fit: Fit) -> str:
    """Whose measurements, and how many."""
    study, n = fit.study, sum(len(m) for m in fit.cohort.measurements.values())
    during = f" during {study.treatment}" if study.treatment else ""
    named = listing([in_sentence(study.label(o)) for o in study.declared])
    return f"We analysed {named}{during} in {counted(len(fit.cohort), 'patient')} with {counted(n, 'measurement')}."


def _model(study: Study) -> Iterator[str]:
    yield (
        "The model is Bayesian and hierarchical: each patient has a curve of their own, which scatters around that "
        "of the population."
    )
    yield f"Time is counted in {study.time.unit}s."
    for name in study.outcomes:
        yield describe.words(study, name)
    for name in study.events:
        yield event_words(study, name)
    how = describe.correlation_words(study)
    yield f"{how[0].upper()}{how[1:]}."
    if lines := describe.covariates(study):
        yield f"Covariates: {'; '.join(lines)}."


def _priors(study: Study) -> Iterator[str]:
    lines = describe.priors(study)
    own = [p for p in lines if p.stated]
    stand = [
        f"{in_sentence(study.label(n))} {o.typical:g} {o.unit} ({o.scale:g})"
        for n, o in study.outcomes.items()
        if o.typical is not None
    ]
    yield f"Of {counted(len(lines), 'prior')}, {len(own)} {'is' if len(own) == 1 else 'are'} stated by the study."
    if len(own) < len(lines) and stand:
        yield (
            "The others are the defaults of the tool, which follow from what is declared of each outcome as typical "
            f"before treatment, and (in brackets) as the spread between patients: {'; '.join(stand)}."
        )
    if study.events:
        yield "Defaults of events follow from the share of patients to whom each happens within a typical follow-up."
    if own:
        told = (f"{p.outcome}.{p.parameter} ~ {p.prior}{f' on {p.unit}' if p.unit else ''}" for p in own)
        yield f"Stated: {'; '.join(told)}."
    if study.evidence:
        sources = [e.source for e in study.evidence.values()]
        yield f"Published numbers inform the priors: {'; '.join(dict.fromkeys(sources))}."


def _asked(study: Study) -> Iterator[str]:
    if study.estimands:
        told = (f"{describe.number(study, e)}, {e.whom}" for e in study.estimands.values())
        yield f"Asked were {'; '.join(told)}."
    for name, d in study.decisions.items():
        e = study.estimands[d.estimand]
        unit = e.unit(study.named, study.time.unit)
        asked = d.terms("" if e.relative or e.amount_of is None else f" {unit}")
        yield f"The rule “{name.replace('_', ' ')}” asks for {describe.number(study, e)}, {e.whom}: {asked}."
    yield f"Intervals are equal-tailed and hold {study.interval:.0%} of the posterior."


def computed(fit: Fit) -> str:
    """How the posterior was drawn."""
    s, versions = fit.sampling, fit.versions
    by = f"bayesmyo {versions['bayesmyo']} with its engine {fit.engine}"
    if not ENGINES[fit.engine].posterior:
        return f"NOT DRAWN FROM THE POSTERIOR: this is a dry run of {by}."
    if fit.engine == DEFAULT:
        by += f" (the No-U-Turn sampler of nutpie {versions['nutpie']} on a model of PyMC {versions['pymc']})"
    kept = f", each {s['every']}th of them kept" if s.get("every", 1) > 1 else ""
    return (
        f"The posterior was drawn by {by}, in {s['chains']} chains of {s['draws']:,} draws{kept} after {s['tune']:,} of "
        f"tuning; the seed was {fit.seed}."
    )


def judged(fit: Fit) -> str:
    """How the checks stand: which were done, and which failed."""
    return f"Of the model and the computation, {standing(check(fit))}"
