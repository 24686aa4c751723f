"""All sections of a protocol's page."""

from bayesmyo.report.blocks import Items, Section
from bayesmyo.report.page import Page
from bayesmyo.report.protocol.again import again
from bayesmyo.report.protocol.analysis import analysis
from bayesmyo.report.protocol.claims import claims
from bayesmyo.report.protocol.design import design
from bayesmyo.report.protocol.estimates import estimates
from bayesmyo.report.protocol.power import power
from bayesmyo.report.protocol.question import question
from bayesmyo.report.protocol.summary import standing, summary
from bayesmyo.report.sections.references import of_study
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.store import Results
from bayesmyo.study.statements import Statements

METHODS = (
    "Simulation studies and their Monte Carlo errors: Morris, White and Crowther (2019), "
    "https://doi.org/10.1002/sim.8086",
    "Assurance: O'Hagan, Stevens and Campbell (2005), https://doi.org/10.1002/pst.175",
    "What a claim is worth: U.S. Food and Drug Administration (2026), Use of Bayesian Methodology in Clinical Trials of "
    "Drug and Biological Products, draft guidance",
    "Interim looks: Berry, Carlin, Lee and Mueller (2010), https://doi.org/10.1201/EBK1439825488",
    "Predictive probability of success: Saville, Connor, Ayers and Alvarez (2014), "
    "https://doi.org/10.1177/1740774514531352",
    "Errors of sign and magnitude: Gelman and Carlin (2014), https://doi.org/10.1177/1745691614551642",
    "Exact intervals of shares: Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404",
    "Thresholds by order statistics: David and Nagaraja (2003), section 7.1, https://doi.org/10.1002/0471722162",
    "Sampling: Hoffman and Gelman (2014), https://jmlr.org/papers/v15/hoffman14a.html",
    "Estimands: International Council for Harmonisation, E9(R1) (2019)",
)


def power_page(
    results: Results,
    answer: PowerAnswer,
    target: float,
    futility: float | None = None,
    statements: Statements | None = None,
) -> Page:
    """All that a power study says, for a reader who was not there.

    Parameters
    ----------
    results : Results
        The folder.
    answer : PowerAnswer
        What its tables say, with that target and futility.
    target : float
        The power of the smallest number of patients, between 0 and 1.
    futility : float, optional
        A probability below which a study stops at a look.
    statements : Statements, optional
        What only the author knows.
    """
    cells = results.plan.cells
    study, said = cells[0].analysis, statements or Statements()
    sections = (
        summary(results, answer),
        question(study, said),
        design(cells),
        analysis(study, said),
        power(answer, target),
        claims(answer),
        estimates(answer),
        again(results, target, futility, answer.weights, answer.solve),
        Section("references", "References", (Items((*METHODS, *of_study(study))),)),
    )
    return Page(study.title, tuple(s for s in sections if s.blocks), True, standing(results))
