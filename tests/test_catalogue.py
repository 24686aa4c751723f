"""Every word of the vocabulary goes the whole way: said, simulated, fitted, checked, estimated and reported.

The catalogues drive it. A new word is taken up by itself where its keys have defaults or are among `KEYS`; otherwise
these tests say which example is missing in `EXAMPLES`. There is one study for each family, with an outcome for each
trajectory, every estimand of every outcome, and every decision about every kind of estimand. Nothing is sampled: the
draws are those of the priors.
"""

from dataclasses import MISSING, fields, replace
from itertools import cycle, product

import numpy as np
import pytest

from bayesmyo.assess import claims as claims_of
from bayesmyo.assess.check import check
from bayesmyo.assess.checks import checks_of
from bayesmyo.assess.estimate import estimates, verdicts
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.components.decisions import DECISIONS
from bayesmyo.components.estimands import ESTIMANDS
from bayesmyo.components.estimands.events import OfEvent
from bayesmyo.components.families import FAMILIES
from bayesmyo.components.hazards import HAZARDS
from bayesmyo.components.residuals import RESIDUALS
from bayesmyo.components.trajectories import TRAJECTORIES
from bayesmyo.errors import StudyError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_priors, with_effects
from bayesmyo.report import results as results_of
from bayesmyo.report.html import html
from bayesmyo.report.markdown import markdown
from bayesmyo.report.page import page
from bayesmyo.report.sections.course import half_time
from bayesmyo.report.sections.summary import plain, rule
from bayesmyo.simulation.power.comparators import METHODS, compare
from bayesmyo.study import describe, in_r, parse_study
from bayesmyo.study.describe_events import event_formula, event_words
from bayesmyo.study.write import to_toml

OF_EVENTS = [e for e in ESTIMANDS if issubclass(e, OfEvent)]
OF_OUTCOMES = [e for e in ESTIMANDS if e not in OF_EVENTS]
HEAD = """
[study]
title = "Catalogue"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }

[covariates.arm]
levels = ["a", "b"]

[design]
patients = 10
follow_up = 12
visits = { first = [0, 1, 2, 4, 6, 9, 12] }
"""
# what a required key is, wherever it stands
KEYS = {
    "outcome": '"{outcome}"', "event": '"{event}"', "estimand": '"{estimand}"', "from": "0", "to": "8", "at": "8",
    "within": "8", "knots": "[0, 4, 8]",
    "probability": "0.9", "null": "0.3", "relevant": "0.7", "low": "0.3", "high": "0.7", "width": "1",
}  # fmt: skip
# keys of which that is not enough; a trajectory may have several forms, of which the first stands for it in every
# family
EXAMPLES: dict[str, list[dict[str, str]]] = {
    "cumulative": [{"levels": '["0", "1", "2"]'}],
    "ordered_beta": [{"lower": "0", "upper": "5"}],
    "beta_binomial": [{"trials": "20"}],
    "linear": [{}, {"transform": '"sqrt"'}],
    "piecewise": [{"knots": "[4]"}],
    "plateau": [{}, {"end": '"change"'}],
    "spline": [{}, {"penalised": "true"}],
    "visits": [{"at": "[0, 1, 2, 4, 6, 8, 9, 12]", "window": "0.4"}],
    "share": [{"criteria": "{{ {outcome} = {{ at_least = 0.5 }} }}"}],
    "time to": [{"at_least": "0.5"}],
    "probability": [{"above": "0.3"}],
}
# scales of an outcome, of which the first that its family can have is taken; and a zero part, for the families that
# have one
SCALES = ("typical = 3\nscale = 2", "typical = 3\nscale = 0.5", "typical = 0.4\nscale = 0.1", "scale = 1")
ZERO = "zero = {{ typical = 0.2, scale = 0.1, trajectory = {} }}\n"
GROUPS = {"contrast": '{{ covariate = "arm", level = "b", reference = "a" }}'}
# (family, estimand) that every study refuses, and rightly: scores of grades have no ratio
REFUSED = {("cumulative", "ratio")}


def forms(word, **more):
    """Every form of a word, as an inline table of TOML with places for an outcome and an estimand."""
    found = []
    for own in EXAMPLES.get(word.kind, [{}]):
        keys = [f.metadata.get("key", f.name) for f in fields(word) if f.default is f.default_factory is MISSING]
        if missing := [key for key in keys if key not in own and key not in KEYS]:
            pytest.fail(
                f"{word.kind} has no default for {missing}: write an example in EXAMPLES, tests/test_catalogue.py"
            )
        stated = {"kind": f'"{word.kind}"', **{key: KEYS[key] for key in keys if key not in own}, **own, **more}
        found.append(f"{{{{ {', '.join(f'{k} = {v}' for k, v in stated.items())} }}}}")
    return found


def outcome(name, family, trajectory, moves):
    """The table of an outcome of the first form of a family."""
    told = []
    for scale, zero in product(SCALES, ("", ZERO.format(trajectory))):
        text = f'\n[outcomes.{name}]\ncolumn = "{name}"\nunit = "u"\nbetter = "higher"\nfamily = {forms(family)[0].format()}\n'
        text += f"trajectory = {trajectory}\n{scale}\n{zero}" + 'covariates = ["arm"]\n'
        text += 'moderators = ["arm"]\n' if moves else ""
        try:
            parse_study(HEAD + text)
        except StudyError as error:
            told.append(str(error))
        else:
            return text
    pytest.fail(f"{family.kind} and {trajectory} need an example in EXAMPLES, tests/test_catalogue.py: {told[0]}")


def study_of(chosen, everything=False):
    """A study with an outcome for each (family, trajectory, form of it, more keys) that is chosen, and what is asked of
    them.

    everything: every estimand of every outcome, of two groups where one moves, and every decision about every estimand
    of that one; else estimands and decisions take turns, each at least once
    """
    text, named = HEAD, {}
    for family, trajectory, form, *more in chosen:
        name = f"{family.kind}_{trajectory.kind}"
        name += str(sum(n.startswith(name) for n in named) or "")
        named[name] = trajectory, [e for e in OF_OUTCOMES if (family.kind, e.kind) not in REFUSED]
        text += outcome(name, family, form, trajectory.moves) + "".join(more)
    first = min(named, key=lambda n: not named[n][0].moves)
    turns = zip(named.items(), cycle(range(len(OF_OUTCOMES))), strict=False)
    asked = [(name, e) for name, (_, sayable) in named.items() for e in sayable if everything or name == first]
    asked += [(name, sayable[n % len(sayable)]) for (name, (_, sayable)), n in turns]
    estimands = {f"{name}_{slug(e)}": forms(e)[0].format(outcome=name) for name, e in asked}
    about = [f"{first}_{slug(e)}" for e in named[first][1]]
    rules = product(about, DECISIONS) if everything else zip(cycle(about), DECISIONS, strict=False)
    if everything:
        estimands |= {f"{slug(e)}_by_arm": forms(e, **GROUPS)[0].format(outcome=first) for e in named[first][1]}
    text += "\n[estimands]\n" + "".join(f"{name} = {form}\n" for name, form in estimands.items())
    text += "\n[decisions]\n"
    text += "".join(f"{slug(d)}_{n} = {forms(d)[0].format(estimand=e)}\n" for n, (e, d) in enumerate(rules))
    try:
        return parse_study(text)
    except StudyError as error:
        pytest.fail(f"see EXAMPLES and REFUSED of tests/test_catalogue.py: {error}")


# how an event is known, of which each hazard takes one in turn, and what it depends on
KNOWN = ('reasons = ["gone {n}"]', 'at = "when{n}"', 'column = "seen{n}"', 'at = "when{n}"\nrecurrent = true')
DEPENDS = ('{ line = "level", curve = "area" }', '{ curve = "slope" }', '{ line = "slope" }', '{ line = "intercept" }')


def study_of_events():
    """A study with an event for every hazard and every way in which an event is known, and every estimand of each."""
    text = HEAD.replace("typical = 12 }", 'typical = 12, exit = "left", reason = "why" }')
    for name, form in (("line", LINE[1]), ("curve", ONE[-2][1] if ONE[-2] != LINE else ONE[0][1])):
        text += outcome(name, FIRST, form, True)
    events, estimands = "", "\n[estimands]\n"
    for n, (hazard, known) in enumerate(zip(cycle(HAZARDS), KNOWN, strict=False)):
        name, again = f"event{n}", "recurrent" in known
        own = f'typical = 0.4\nhazard = {forms(hazard)[0].format()}\ncovariates = ["arm"]\n'
        events += f"\n[events.{name}]\n{known.format(n=n)}\n{own}depends = {DEPENDS[n % len(DEPENDS)]}\n"
        asked = [e for e in OF_EVENTS if again or e.kind != "expected events"]
        for e, more in product(asked, ({}, GROUPS)):
            estimands += f"{name}_{slug(e)}{'_by_arm' if more else ''} = {forms(e, **more)[0].format(event=name)}\n"
    decisions = f"\n[decisions]\nkept = {forms(DECISIONS[0])[0].format(estimand='event0_event_free')}\n"
    return parse_study(text + events + estimands + decisions)


def make(one):
    """A trajectory from its class and its form in TOML."""
    return parse_study(HEAD + outcome("one", FIRST, one[1], True)).outcomes["one"].trajectory


def slug(word):
    return word.kind.replace(" ", "_")


FORMS = [(t, form.format()) for t in TRAJECTORIES for form in forms(t)]
ONE = [(t, forms(t)[0].format()) for t in TRAJECTORIES]
FIRST, *OTHERS = FAMILIES
# all that is asked of the first family with every form of every trajectory, and answers of every other family with each
# trajectory
ANSWERED = {FIRST.kind: ([(FIRST, *t) for t in FORMS], True)} | {
    f.kind: ([(f, *t) for t in ONE], False) for f in OTHERS
}
# every parameter of every family with a predictor of its own, and every residual
LINE, PLANNED = (next(one for one in ONE if one[0].kind == kind) for kind in ("linear", "visits"))
OWN = 'covariates = ["arm"], effects = ["intercept"], trajectory = { kind = "linear" }'
PARTS = [
    (f, *LINE, f"{name} = {{ {OWN}{', typical = 0.2, scale = 0.1' if link == 'logit' else ''} }}\n")
    for f in FAMILIES
    for name, link in f.links.items()
    if name not in f.predictors(f)
]
HANGING = [
    (FIRST, *next(t for t in (LINE, PLANNED) if not r().faults(make(t))), f'residual = {{ kind = "{r.kind}" }}\n')
    for r in RESIDUALS
] + [
    (f, *LINE, f'residual = {{ kind = "{r.kind}" }}\n')
    for r in RESIDUALS
    for f in OTHERS
    if r.sampled and not f.normal and (f.approximated or not f.scatter())
]
ANSWERED |= {"parts": (PARTS, False), "residuals": (HANGING, False), "events": ()}
# a whole report of the first family with each trajectory, and of every other with one form of one
REPORTED = {
    "report": ([*((FIRST, *t) for t in ONE), *((f, *t) for f, t in zip(OTHERS, cycle(FORMS), strict=False))], False),
    "events": (),
}


@pytest.fixture(scope="module")
def study(request):
    return study_of(*request.param) if request.param else study_of_events()


@pytest.fixture(scope="module")
def cohort(study):
    rng = np.random.default_rng(11)
    truth = with_effects(study, from_priors(study, rng), study.design.patients, rng)
    return simulate(study, truth, rng).cohort


@pytest.fixture(scope="module")
def fitted(study, cohort):
    return fit(study, cohort, engine="mock", sampling=Sampling(draws=20, tune=1, chains=2))


@pytest.fixture(scope="module")
def checked(fitted):
    return check(fitted)


@pytest.fixture
def trusted(fitted, checked, monkeypatch):
    """All that a report says as if every check had passed, so that none withholds a sentence; nothing is sampled
    under other priors.
    """
    monkeypatch.setattr(claims_of, "judge", lambda fit, *asked: prior_sensitivities(fit, refits=None, always=False))
    monkeypatch.setattr(results_of, "check", lambda fit: [replace(c, passed=True) for c in checked])
    return results_of.results(fitted)


def of(studies):
    return pytest.mark.parametrize("study", studies.values(), ids=studies.keys(), indirect=True, scope="module")


@of(ANSWERED)
def test_what_is_said_is_read_back_and_told_in_words(study):
    assert to_toml(parse_study(to_toml(study))) == to_toml(study)
    for name, o in study.outcomes.items():
        assert o.trajectory.sentence in describe.words(study, name)
        assert describe.formula(study, name)
        assert in_r.likelihood(study, name)
        assert in_r.brms(study, name)
    for name in study.events:
        assert event_words(study, name).endswith(".")
        assert event_formula(study, name)


@of(ANSWERED)
def test_what_is_simulated_can_be_measured(study, cohort):
    for name, o in study.outcomes.items():
        assert len(cohort.measurements[name]) == 10 * 7 or study.events
        assert o.family.check(cohort.measurements[name].value).all()


@of(ANSWERED)
def test_every_comparator_answers_what_it_says_it_can(study, cohort):
    for quantity in compare(study, cohort, [*METHODS]):
        assert quantity.median is None or np.isfinite(quantity.median)


@of(ANSWERED)
def test_every_check_has_a_sentence(fitted, checked):
    assert [c.name for c in checked] == [c.name for c in checks_of(fitted)]
    assert all(c.sentence.endswith(".") for c in checked)


@of(ANSWERED)
def test_every_estimand_and_every_decision_has_an_answer(study, fitted):
    answers, decided = estimates(fitted), verdicts(fitted)
    assert [e.name for e in answers] == [*study.estimands]
    assert [d.name for d in decided] == [*study.decisions]
    assert np.isfinite([[e.lower, e.median, e.upper] for e in answers]).all()
    assert all(row.sentence.endswith(".") for row in (*answers, *decided))


@of(REPORTED)
def test_the_report_holds_every_answer(study, trusted):
    assert all(plain(trusted, e).endswith(".") for e in trusted.estimates)
    assert all(rule(trusted, d) for d in trusted.decisions)
    for name, o in study.outcomes.items():
        assert bool(half_time(trusted, name)) == (o.trajectory.levels_off and not o.family.anchored)
    made = page(trusted)
    for text in (html(made), markdown(made)):
        assert all(name in text for name in (*study.estimands, *study.decisions))
