"""What the methods rest on: general references, and those of the words that this study uses."""

import inspect
import re

from bayesmyo.components.component import Component
from bayesmyo.report.blocks import Items, Paragraph, Section
from bayesmyo.report.results import Results
from bayesmyo.study.predictors import predictors
from bayesmyo.study.study import Study

DOI = re.compile(
    r"([A-Z][\w .,'-]*?\(\d{4}\)|[A-Z][\w ,'-]* (?:et al\. )?\d{4}),?\s+(https://doi\.org/(?:\([^\s()]*\)|[^\s;()])+)"
)
METHODS = (
    "Sampling: Hoffman and Gelman (2014), The No-U-Turn sampler, Journal of Machine Learning Research 15, 1593-1623, "
    "https://jmlr.org/papers/v15/hoffman14a.html",
    "PyMC: Abril-Pla et al. (2023), https://doi.org/10.7717/peerj-cs.1516",
    "ArviZ: Kumar et al. (2019), https://doi.org/10.21105/joss.01143",
    "R-hat, effective draws and Monte Carlo errors: Vehtari et al. (2021), https://doi.org/10.1214/20-BA1221",
    "E-BFMI: Betancourt (2016), https://doi.org/10.48550/arXiv.1604.00695",
    "Prior predictive checks: Gabry et al. (2019), https://doi.org/10.1111/rssa.12378",
    "Leave-one-out prediction: Vehtari, Gelman and Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4",
    "Prior sensitivity: Kallioinen et al. (2024), https://doi.org/10.1007/s11222-023-10366-5",
    "Contraction: Schad, Betancourt and Vasishth (2021), https://doi.org/10.1037/met0000275",
    "Correlations: Lewandowski, Kurowicka and Joe (2009), https://doi.org/10.1016/j.jmva.2009.04.008",
)
REPORTING = (
    "BARG: Kruschke (2021), https://doi.org/10.1038/s41562-021-01177-7",
    "ROBUST: Sung et al. (2005), https://doi.org/10.1016/j.jclinepi.2004.08.010",
    "STROBE: von Elm et al. (2007), https://doi.org/10.1371/journal.pmed.0040296",
    "SAMPL: Lang and Altman (2015), https://doi.org/10.1016/j.ijnurstu.2014.09.006",
    "ADEMP: Morris, White and Crowther (2019), https://doi.org/10.1002/sim.8086",
    "Estimands: International Council for Harmonisation, E9(R1) (2019)",
)


def references(r: Results) -> Section:
    own = of_study(r.study)
    blocks = (Paragraph("Methods, then what reports should say."), Items((*METHODS, *own, *REPORTING)))
    return Section("references", "References", blocks)


def of_study(study: Study) -> tuple[str, ...]:
    """References of the families, trajectories and decisions that a study uses, as their documentation gives them."""
    used: list[tuple[str, type[Component]]] = []
    for name, o in study.outcomes.items():
        used += [(f"Family {o.family.kind}", type(o.family))]
        used += [(f"Trajectory {p.trajectory.kind}", type(p.trajectory)) for p in predictors(study, name)]
    used += [(f"Decision {d.kind}", type(d)) for d in study.decisions.values()]
    cited: dict[str, None] = {}
    for what, cls in used:
        text = " ".join(inspect.cleandoc(cls.__doc__ or "").split())
        cited |= dict.fromkeys(
            f"{what}: {who.removeprefix('Reference: ')}, {doi.rstrip('.,')}" for who, doi in DOI.findall(text)
        )
    return tuple(cited)
