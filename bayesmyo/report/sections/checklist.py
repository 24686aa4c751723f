"""The checklist: 28 items that readers and regulators ask for, and where each is answered, or NOT STATED.

Sources: BARG (Kruschke 2021), ROBUST (Sung et al. 2005), ICH E9(R1), STROBE, SAMPL, ADEMP (Morris et al. 2019), and the
    FDA's draft guidance on Bayesian methods (January 2026, docket FDA-2025-D-3217), which is named here as a source of
    items; no claim of conformity is made.
"""

from collections.abc import Sequence

from bayesmyo.report.blocks import NOT_STATED, Section, Table, note
from bayesmyo.report.results import Results

GIVEN, PARTLY, NOT_DONE, NONE = "given", "partly", "NOT DONE", "none needed"


def checklist(r: Results) -> Section:
    rows = tuple((str(n), what, source, state, where) for n, (what, source, state, where) in enumerate(items(r), 1))
    missing = [row[0] for row in rows if row[3] in (NOT_STATED, NOT_DONE)]
    text = (
        f"Of {len(rows)} items, {len(missing)} are not stated or not done: {', '.join(missing)}. What only the author "
        "knows belongs in the table [report] of the study."
        if missing
        else f"All {len(rows)} items are answered."
    )
    caption = "What a report of a Bayesian analysis should say, and whether this one does"
    headers = ("item", "what", "asked for by", "state", "where")
    return Section("checklist", "Checklist", (note(text), Table("checklist", caption, headers, rows)))


def of(*texts: str) -> str:
    """Whether an author has stated all, some or none of it."""
    given = sum(bool(t.strip()) for t in texts)
    return GIVEN if given == len(texts) else PARTLY if given else NOT_STATED


def items(r: Results) -> Sequence[tuple[str, str, str, str]]:
    """(what, asked for by, state, where), 28 of them, in the order of the house's list."""
    s, patients = r.stated, NOT_STATED if r.fit.shared else GIVEN
    stated_e = (
        (
            s.estimand.treatment,
            s.estimand.population,
            s.estimand.variable,
            s.estimand.intercurrent_events,
            s.estimand.summary,
        )
        if s.estimand
        else ("",)
    )
    sense = GIVEN if r.sensitivities else NOT_DONE
    return [
        ("Goal of the analysis, and why Bayesian", "BARG", of(s.goal, s.why_bayesian), "The question"),
        ("Design, setting, dates, eligibility, flow of patients, follow-up", "STROBE",
         of(s.design, s.setting, s.dates, s.eligibility, s.follow_up), "The question; Patients and measurements"),
        ("Estimand: treatment, population, variable, intercurrent events, summary", "ICH E9(R1)", of(*stated_e), "The question"),
        ("Variables, units, ranges, direction of benefit", "BARG 1A, SAMPL", GIVEN, "The question"),
        ("Patients, rows, visits, missing by outcome and visit, exclusions with reason", "STROBE", patients, "Patients and measurements"),
        ("Assumption about what is missing, and sensitivity to it", "ICH E9(R1), FDA", _missing(r), "The assumption below; Categories of response"),
        ("Likelihood and hierarchy in formula and code", "BARG 1B and 1D, ROBUST", GIVEN, "The model"),
        ("Priors: family, values, source, justification", "BARG 1C, ROBUST, FDA", GIVEN if s.priors.strip() else PARTLY, "Priors"),
        ("Prior predictive check", "BARG 1E", GIVEN, "Priors"),
        ("Influence of the prior", "FDA", sense, "Prior or data"),
        ("Software, versions, platform, seed", "BARG 2A, SAMPL", GIVEN, "To do it again"),
        ("Convergence: R-hat of every parameter and derived quantity", "BARG 2B", GIVEN, "Checks"),
        ("Resolution: effective draws, and the Monte Carlo error of every number", "BARG 2C", GIVEN, "Checks; Answers"),
        ("Divergences, tree depth, E-BFMI", "the sampler", GIVEN, "Checks"),
        ("Posterior predictive check, leave-one-out prediction", "BARG 3A", _predictive(r), "Checks"),
        ("Posterior: median, interval with its kind and mass, plot, probability of benefit", "BARG 3B, ROBUST", _posterior(r), "Answers"),
        ("Bayes factor, only with prior odds of the models", "BARG 3C to 3E", NONE, "Answers: none is reported"),
        ("Decision rule and threshold; who set them, and when", "BARG 4, FDA", of(s.decisions) if r.decisions else NONE, "The question; Answers"),
        ("Operating characteristics of the rule", "FDA, ADEMP", _operating(r), "Power and calibration"),
        ("Sensitivity to the prior", "BARG 5, ROBUST, FDA", sense, "Prior or data"),
        ("Sensitivity to the likelihood", "BARG 5", GIVEN if r.beside else NOT_DONE, "Other models"),
        ("Prior against data", "FDA", GIVEN if r.refitted else NOT_DONE, "Prior or data"),
        ("Several outcomes: joint model or statement", "FDA, E9", _several(r), "The model; The question"),
        ("Influence of single patients, by leaving each out", "good practice", GIVEN if r.influence else NOT_DONE, "Influence of single patients"),
        ("Reproduction: study, seed, hash of the data, commands", "BARG 6", GIVEN, "To do it again"),
        ("What was specified before the data, and deviations", "FDA, SAMPL", of(s.prespecified, s.deviations), "The question"),
        ("Limits: no control group, regression to the mean", "STROBE", of(s.limits), "The question; In plain language"),
        ("Simulation study: aims, truths, methods, performance, failed fits", "ADEMP", GIVEN if r.calibration or r.power else NOT_STATED, "Power and calibration"),
    ]  # fmt: skip


def _missing(r: Results) -> str:
    """The assumption is the author's; sensitivity are bounds of responses, and what tips conclusions where exits are
    known."""
    stated, bounds = bool(r.stated.missing_data.strip()), bool(r.responses)
    exits = None if r.fit.shared else r.fit.cohort.exits
    if exits is not None and any(exits.reason):
        return GIVEN if stated else PARTLY
    return PARTLY if stated or bounds else NOT_STATED


def _predictive(r: Results) -> str:
    return GIVEN if any(c.table and "statistic" in c.table[0] for c in r.checks) else NOT_DONE


def _posterior(r: Results) -> str:
    claimed = [r.says(e) for e in r.estimates]
    return (
        GIVEN
        if claimed and all(claimed)
        else "partly withheld"
        if any(claimed)
        else "withheld"
        if claimed
        else NOT_STATED
    )


def _operating(r: Results) -> str:
    """Of a decision rule: power, and how often it is met where it ought not to be."""
    if not r.power:
        return NOT_STATED
    return GIVEN if any(row["null"] for row in r.power.rows) else PARTLY


def _several(r: Results) -> str:
    if len(r.study.outcomes) == 1 and len(r.study.decisions) < 2:
        return NONE
    return GIVEN if r.stated.multiplicity.strip() else PARTLY if r.study.correlate == "across outcomes" else NOT_STATED
