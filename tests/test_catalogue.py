"""Every word of the vocabulary goes the whole way: said, simulated, fitted, checked, estimated and reported.

The catalogues drive it. A new word is taken up by itself where its keys have defaults or are among `KEYS`; otherwise these tests say
which example is missing in `EXAMPLES`. There is one study for each family, with an outcome for each trajectory, every estimand of
every outcome, and every decision about every kind of estimand. Nothing is sampled: the draws are those of the priors.
"""

from dataclasses import MISSING, fields, replace
from itertools import product

import numpy as np
import pytest

from bayesmyo.assess import claims as claims_of
from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CHECKS
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.cohort.simulate import simulate
from bayesmyo.cohort.truth import from_priors, with_effects
from bayesmyo.components.decisions import DECISIONS
from bayesmyo.components.estimands import ESTIMANDS
from bayesmyo.components.families import FAMILIES
from bayesmyo.components.trajectories import TRAJECTORIES
from bayesmyo.errors import StudyError
from bayesmyo.model.engines import Sampling
from bayesmyo.model.fit import fit
from bayesmyo.report import results as results_of
from bayesmyo.report.html import html
from bayesmyo.report.markdown import markdown
from bayesmyo.report.page import page
from bayesmyo.report.results import results
from bayesmyo.report.sections.course import half_time
from bayesmyo.report.sections.summary import plain, rule
from bayesmyo.simulation.power.comparators import METHODS, compare
from bayesmyo.study import describe, in_r, parse_study
from bayesmyo.study.write import to_toml

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
    "outcome": '"{outcome}"', "estimand": '"{estimand}"', "from": "0", "to": "8", "at": "8", "within": "8", "knots": "[0, 4, 8]",
    "probability": "0.9", "null": "0.3", "relevant": "0.7", "low": "0.3", "high": "0.7", "width": "1",
}  # fmt: skip
# keys of which that is not enough; a trajectory may have several forms, of which the first stands for it in every family
EXAMPLES: dict[str, list[dict[str, str]]] = {
    "cumulative": [{"coding": '"mrc"'}],
    "ordered_beta": [{"lower": "0", "upper": "5"}],
    "beta_binomial": [{"trials": "20"}],
    "linear": [{}, {"transform": '"sqrt"'}],
    "piecewise": [{"knots": "[4]"}],
    "plateau": [{}, {"end": '"change"'}],
    "spline": [{}, {"penalised": "true"}],
    "share": [{"criteria": "{{ {outcome} = {{ at_least = 0.5 }} }}"}],
    "time to": [{"at_least": "0.5"}],
    "probability": [{"above": "0.3"}],
}
# scales of an outcome, of which the first that its family can have is taken; and a zero part, for the families that have one
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


def study_of(family, chosen, asked):
    """A study of one family, with an outcome for each (trajectory, form) that is chosen.

    Of as many outcomes as `asked` it asks every estimand that can be said of them; of the first one that moves, also of two groups,
    and every decision about every kind of estimand.
    """
    text, named = HEAD, {}
    for trajectory, form in chosen:
        name = f"{trajectory.kind}{sum(n.startswith(trajectory.kind) for n in named) or ''}"
        named[name] = trajectory
        text += outcome(name, family, form, trajectory.moves)
    first = next(iter(sorted(named, key=lambda n: not named[n].moves)))
    sayable = [e for e in ESTIMANDS if (family.kind, e.kind) not in REFUSED]
    text += "\n[estimands]\n"
    for name, estimand in product([first, *(n for n in named if n != first)][:asked], sayable):
        text += f"{name}_{slug(estimand)} = {forms(estimand)[0].format(outcome=name)}\n"
    for estimand in sayable if named[first].moves else ():
        text += f"{slug(estimand)}_by_arm = {forms(estimand, **GROUPS)[0].format(outcome=first)}\n"
    text += "\n[decisions]\n"
    for estimand, decision in product(sayable, DECISIONS):
        own = forms(decision)[0].format(estimand=f"{first}_{slug(estimand)}")
        text += f"{slug(estimand)}_{slug(decision)} = {own}\n"
    try:
        return parse_study(text)
    except StudyError as error:
        pytest.fail(f"see EXAMPLES and REFUSED of tests/test_catalogue.py for the family {family.kind}: {error}")


def slug(word):
    return word.kind.replace(" ", "_")


EVERY = [(t, form.format()) for t in TRAJECTORIES for form in forms(t)]
ONE = [(t, forms(t)[0].format()) for t in TRAJECTORIES]
PLAIN, *OTHERS = FAMILIES
# all that is asked of all that the first family can be; every other family with every trajectory; and each with one, for a whole report
WHOLE = {PLAIN.kind: (PLAIN, EVERY, len(EVERY))} | {
    f"{f.kind} {ONE[n % len(ONE)][0].kind}": (f, [ONE[n % len(ONE)]], 1) for n, f in enumerate(OTHERS, start=1)
}
CROSSED = {f"{f.kind} crossed": (f, ONE, 1) for f in OTHERS}


@pytest.fixture(scope="module", params=(WHOLE | CROSSED).values(), ids=(WHOLE | CROSSED).keys())
def study(request):
    return study_of(*request.param)


@pytest.fixture(scope="module")
def cohort(study):
    rng = np.random.default_rng(11)
    truth = with_effects(study, from_priors(study, rng), study.design.patients, rng)
    return simulate(study, truth, rng).cohort


@pytest.fixture(scope="module")
def fitted(study, cohort):
    return fit(study, cohort, engine="mock", sampling=Sampling(draws=20, tune=1, chains=2))


@pytest.fixture
def trusting(monkeypatch):
    """As if every check passed, so that none withholds a sentence, and without sampling again under other priors."""
    monkeypatch.setattr(claims_of, "judge", lambda fit, *asked: prior_sensitivities(fit, refits=None, always=False))
    monkeypatch.setattr(results_of, "check", lambda fit: [replace(c, passed=True) for c in check(fit)])


def test_what_is_said_is_read_back_and_told_in_words(study):
    assert to_toml(parse_study(to_toml(study))) == to_toml(study)
    for name, o in study.outcomes.items():
        assert o.trajectory.sentence in describe.words(study, name)
        assert describe.formula(study, name)
        assert in_r.likelihood(study, name)
        assert in_r.brms(study, name)


def test_what_is_simulated_can_be_measured(study, cohort):
    for name, o in study.outcomes.items():
        assert len(cohort.measurements[name]) == 10 * 7
        assert o.family.check(cohort.measurements[name].value).all()


def test_every_check_has_a_sentence(fitted):
    found = check(fitted)
    assert [c.name for c in found] == [c.name for c in CHECKS]
    assert all(c.sentence.endswith(".") for c in found)


def test_every_estimand_and_every_decision_has_an_answer(study, fitted, trusting):
    said = claims_of.claims(fitted, failed=[])
    assert [e.name for e in said.estimates] == [*study.estimands]
    assert [d.name for d in said.decisions] == [*study.decisions]
    assert np.isfinite([[e.lower, e.median, e.upper] for e in said.estimates]).all()


def test_every_comparator_answers_what_it_says_it_can(study, cohort):
    for quantity in compare(study, cohort, [*METHODS]):
        assert quantity.median is None or np.isfinite(quantity.median)


@pytest.mark.parametrize("study", WHOLE.values(), ids=WHOLE.keys(), indirect=True)
def test_the_report_holds_every_answer(study, fitted, trusting):
    found = results(fitted)
    for e in found.estimates:
        assert plain(found, e).endswith(".")
    for d in found.decisions:
        assert rule(found, d)
    assert [bool(half_time(found, name)) for name in study.outcomes] == [
        o.trajectory.levels_off and not o.family.anchored for o in study.outcomes.values()
    ]
    made = page(found)
    for text in (html(made), markdown(made)):
        assert all(name in text for name in (*study.estimands, *study.decisions))
