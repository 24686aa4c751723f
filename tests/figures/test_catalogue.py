"""Figures for a paper: their numbers found again by hand, what is withheld marked, and files as journals take them."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo import figures
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.responses import rules
from bayesmyo.cli import reports
from bayesmyo.errors import UsageError
from bayesmyo.figures import catalogue
from bayesmyo.figures.prior_and_posterior import LIKELY, of_outcome, prior_density, prior_quantiles
from bayesmyo.figures.waterfall import BETTER, WORSE
from bayesmyo.inference.store import save_fit
from bayesmyo.model.simulate import simulate
from bayesmyo.report.drawn import drawn
from bayesmyo.report.write import write_report
from bayesmyo.study import parse_study
from tests.conftest import PATIENTS, SMALL, fit_of, independent_draws, scenario_truth
from tests.figures.test_figures import texts

GAIN = '[estimands.gain]\nkind = "change"\noutcome = "strength"\nfrom = 0\nto = 12\n\n'
TRIAL = (
    SMALL.replace('unit = "points"', 'unit = "points"\ncovariates = ["arm"]\nmoderators = ["arm"]')
    .replace("[estimands.", f'{GAIN}[covariates.arm]\nlabel = "Arm"\nlevels = ["placebo", "active"]\n\n[estimands.', 1)
    .replace("sigma = 4 }", "sigma = 4, arm_active = 2, slope_arm_active = 0.5 }")
)
OF_OTHER_THINGS = {
    "drift_curves",
    "influence",
    "new_patient",
    "power_curves",
    "rank_differences",
}  # of a result that is no fit
EXTRA = CheckResult("prior rationale", False, "Nothing says why.", outcomes=("cpk",))


@pytest.fixture(scope="module")
def trial():
    study = parse_study(TRIAL)
    truth = scenario_truth(study, PATIENTS, np.random.default_rng(7))
    cohort = simulate(study, truth, np.random.default_rng(4)).cohort
    return fit_of(study, cohort, independent_draws(study, cohort))


def labelled(axes, label):
    return [found for found in (*axes.lines, *axes.collections) if found.get_label() == label]


def test_the_catalogue_has_every_figure_of_a_fit():
    assert set(catalogue.CATALOGUE) == set(figures.__all__) - OF_OTHER_THINGS
    named = " ".join(reports.figure.__doc__.split()).partition("are listed, of ")[2].partition(". Exit")[0]
    assert re.findall(r"\w+", named.replace(" and ", " ")) == list(catalogue.CATALOGUE)
    assert all(entry.shows and len(entry.shows) < 90 for entry in catalogue.CATALOGUE.values())


def test_a_forest_has_the_change_of_each_group_and_of_all(trial):
    axes = figures.forest(trial, "gain").axes[0]
    posterior = trial.group("posterior")
    slope, moved = (posterior[f"strength.{k}"].values for k in ("slope", "slope_arm_active"))
    active = trial.cohort.covariates["arm"]
    half = np.mean(active)
    by_hand = [12 * (slope + share * moved) for share in (half, 0.0, 1.0)]
    assert [m.get_xdata()[0] for m in labelled(axes, "median")] == pytest.approx(
        [np.median(d) for d in by_hand], abs=0.02
    )
    for interval, draws in zip(labelled(axes, "interval"), by_hand, strict=True):
        assert interval.get_segments()[0][:, 0] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.03)
    n = int(active.sum())
    groups = [f"    placebo (n = {12 - n})", f"    active (n = {n})"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["All patients (n = 12)", "Arm:", *groups]
    assert len(axes.texts) == 3


def test_a_waterfall_has_each_patients_own_ratio_from_one(good_fit):
    axes = figures.waterfall(good_fit).axes[0]
    prediction, names = good_fit.prediction, good_fit.cohort.pseudonyms()
    own = np.median(prediction.each("cpk", 12) / prediction.each("cpk", 0), axis=(0, 1))
    ends = {bar.get_label(): bar.patches[0].get_y() + bar.patches[0].get_height() for bar in axes.containers}
    assert ends == pytest.approx(dict(zip(names, own, strict=True)))
    assert [t.get_text().rstrip("*") for t in axes.get_xticklabels()] == [names[i] for i in np.argsort(own)]
    m = good_fit.cohort.measurements["cpk"]
    early = {names[i] for i in range(len(names)) if m.time[m.patient == i].max() < 12}
    assert {t.get_text()[:-1] for t in axes.get_xticklabels() if t.get_text().endswith("*")} == early
    assert all(
        bar.patches[0].get_hatch() == (BETTER if ends[bar.get_label()] < 1 else WORSE)[1] for bar in axes.containers
    )


def test_a_waterfall_is_of_a_change(mock_fit):
    with pytest.raises(UsageError, match="no value that means no effect"):
        figures.waterfall(mock_fit, "cpk_time_to_normal")


def test_the_lost_stand_beside_the_categories(mock_fit):
    rule = rules(mock_fit)[0]
    axes = figures.responses_by_visit(mock_fit).axes[0]
    ticks = [t.get_text() for t in axes.get_xticklabels()]
    at = ticks.index(f"{rule.at:g}")
    heights = {bars.get_label(): [bar.get_height() for bar in bars.patches] for bars in axes.containers}
    seen = [p for p in rule.each if p.seen]
    for category in rule.categories:
        assert heights[category.name][at] == pytest.approx(
            sum(p.probabilities[category.name] for p in seen) / rule.patients
        )
    assert heights["lost"][at] == pytest.approx(rule.not_seen / rule.patients)
    assert sum(np.array(h) for h in heights.values()) == pytest.approx(np.ones(len(ticks)))
    assert axes.texts[at].get_text() == str(rule.patients - rule.not_seen)


def test_the_density_of_a_prior_is_that_of_scipy(small):
    p = next(p for p in of_outcome(small, "strength") if p.name == "intercept")
    mean, sd = (float(x) for x in re.findall(r"[\d.]+", str(p.prior)))
    place, density = prior_density(prior_quantiles(p))
    assert prior_quantiles(p) == pytest.approx(stats.norm.ppf(LIKELY, mean, sd), rel=1e-6)
    assert density[5:-5] == pytest.approx(stats.norm.pdf(place[5:-5], mean, sd), rel=0.02)


def test_every_parameter_has_a_panel_with_its_interval(good_fit):
    shown = figures.prior_and_posterior(good_fit, "cpk")
    panels = [axes for axes in shown.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in panels] == [
        p.name.replace("_", " ") for p in of_outcome(good_fit.study, "cpk")
    ]
    start = np.exp(good_fit.group("posterior")["cpk.start"].values)
    ends = [found.get_xdata()[0] for found in labelled(panels[0], "interval")]
    assert ends == pytest.approx(np.quantile(start, [0.025, 0.975]))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("trajectories", ("cpk",)),
        ("patients", ("cpk",)),
        ("overview", ()),
        ("waterfall", ("cpk_ratio_12",)),
        ("prior_and_posterior", ("cpk",)),
    ],
)
def test_what_may_not_be_said_is_marked(good_fit, mock_fit, name, key):
    entry = catalogue.CATALOGUE[name]
    assert "NOT TO BE REPORTED" not in texts(catalogue.draw(good_fit, entry, key, single=True).drawing)
    marked = texts(catalogue.draw(mock_fit, entry, key, single=True).drawing)
    assert "NOT TO BE REPORTED: failed check of convergence" in marked
    extra = texts(catalogue.draw(good_fit, entry, key, single=True, checks=[EXTRA]).drawing)
    assert "NOT TO BE REPORTED: failed check of prior" in extra


def test_what_may_not_be_said_of_each_patient_is_not_drawn(good_fit, mock_fit):
    entry, key = catalogue.CATALOGUE["each_patient"], ("cpk_ratio_12",)
    assert "withheld" not in texts(catalogue.draw(good_fit, entry, key, single=True).drawing)
    marked = catalogue.draw(mock_fit, entry, key, single=True).drawing
    assert texts(marked).startswith("withheld: The engine mock does not draw")
    assert not marked.axes[0].lines


def test_what_a_check_looks_at_is_not_marked(good_fit):
    drawing = catalogue.draw(good_fit, catalogue.CATALOGUE["predictive"], ("cpk",), checks=[EXTRA]).drawing
    assert "REPORTED" not in texts(drawing)


def test_an_answer_that_is_withheld_has_no_number_in_a_figure(mock_fit, trial):
    held = figures.estimates(mock_fit)
    assert not [m for axes in held.axes for m in labelled(axes, "median")]
    assert texts(held).count("withheld") == len(mock_fit.study.estimands)
    m = trial.cohort.measurements["strength"]
    other = replace(
        trial.cohort, measurements={**trial.cohort.measurements, "strength": replace(m, value=m.value + 20)}
    )
    unlike = fit_of(trial.study, other, independent_draws(trial.study, trial.cohort))
    axes = figures.forest(unlike, "gain").axes[0]
    assert {t.get_text() for t in axes.texts} == {"withheld"}
    assert not labelled(axes, "median")


@pytest.mark.parametrize(("ending", "begins"), [(".svg", b"<?xml"), (".pdf", b"%PDF"), (".png", b"\x89PNG")])
def test_a_file_is_the_same_twice(good_fit, ending, begins):
    first, second = (drawn(figures.waterfall(good_fit), ending) for _ in range(2))
    assert first == second
    assert first.startswith(begins)


def test_a_figure_is_as_wide_as_a_column(good_fit):
    svg = drawn(figures.waterfall(good_fit), ".svg").decode()
    assert float(re.search(r'width="([\d.]+)pt"', svg)[1]) == pytest.approx(85 / 25.4 * 72, abs=0.1)
    png = drawn(figures.waterfall(good_fit), ".png", 600)
    assert int.from_bytes(png[16:20], "big") == pytest.approx(85 / 25.4 * 600, abs=1)


def test_a_report_writes_figures_without_single_patients(good_fit, tmp_path):
    made = write_report(good_fit, tmp_path / "report.html", figures=tmp_path / "figures")
    names = {f.name for f in made.files[1:]}
    assert {"estimates.svg", "estimates.pdf", "trajectories-cpk.svg", "prior_and_posterior-cpk.pdf"} <= names
    assert not {n for n in names if n.startswith(("patients", "swimmer", "waterfall", "each_patient", "residuals"))}
    assert {f.name for f in (tmp_path / "figures").iterdir()} == names


@pytest.fixture
def fit_file(good_fit, tmp_path):
    save_fit(good_fit, tmp_path / "fit.nc")
    return "fit.nc"


def test_the_command_lists_and_draws(run, fit_file, files):
    listed = run("figure", fit_file)
    assert listed.code == 0
    assert {"trajectories", "waterfall*"} <= {line.split()[0] for line in listed.out.splitlines()}
    assert "forest" not in listed.out
    assert run("figure", fit_file, "estimates").code == 0
    assert run("figure", fit_file, "trajectories", "--of", "cpk", "-o", "cpk.pdf").code == 0
    written = run("figure", fit_file, "swimmer", "--patient-level", "-o", "s.png", "--dpi", 72, "--json")
    assert written.code == 0, written.err
    assert written.json["files"] == ["s.png"]
    assert {"estimates.svg", "cpk.pdf", "s.png"} <= files().keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["waterfal", "-o", "w.svg"], "waterfall"),
        (["trajectories", "-o", "t.svg"], "choose by --of or --by one of strength; cpk"),
        (["trajectories", "--of", "ckp", "-o", "t.svg"], "cpk"),
        (["trajectories", "--of", "cpk", "-o", "t.jpg"], ".svg, .pdf and .png"),
        (["trajectories", "--of", "cpk", "-o", "t.svg", "--dpi", 300], "is of a PNG"),
        (["waterfall", "-o", "w.svg"], "--patient-level"),
        (["forest", "-o", "f.svg"], "cannot be drawn of this fit"),
        (["estimates", "--by", "arm", "-o", "f.svg"], "leave it out"),
    ],
)
def test_what_cannot_be_drawn_is_refused(run, fit_file, files, words, said):
    result = run("figure", fit_file, *words)
    assert result.code == 2
    assert said in result.err
    assert files().keys() == {fit_file}


def test_the_command_says_what_is_not_to_be_reported(run, mock_fit, tmp_path):
    save_fit(mock_fit, tmp_path / "mock.nc")
    result = run("figure", "mock.nc", "trajectories", "--of", "cpk")
    assert result.code == 1
    assert "Not trustworthy (convergence)" in result.err
    assert (tmp_path / "trajectories-cpk.svg").exists()
