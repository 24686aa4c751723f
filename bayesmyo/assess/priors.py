"""The verb `priors`: every prior of a study, stated or default."""

from dataclasses import asdict

import pandas as pd

from bayesmyo.inference.arguments import known_study
from bayesmyo.study import describe
from bayesmyo.study.study import Study


def priors(study: Study) -> pd.DataFrame:
    """Every prior of a study as a table, named as `bayesmyo.parameters` names parameters: what `validate` prints.

    Parameters
    ----------
    study : Study
        Whose priors are listed.

    Returns
    -------
    pandas.DataFrame
        One row for each parameter. `prior` and `unit`: the distribution, and the unit of the link scale on which it is
        stated. `median`, `lower`, `upper`: what it holds likely, with the study's interval, in `natural_unit` (levels
        in outcome units; changes and SDs of a log-scale outcome as ratios, changes on the logit as odds ratios).
        `stated`: by the study; False where it is the default, which rests on the outcome's `typical` and `scale`.

    Examples
    --------
    >>> bayesmyo.priors(study).loc["cpk.half_time", ["prior", "natural_unit"]].tolist()
    ['lognormal(1.09861, 0.5)', 'month']
    """
    known_study(study)
    rows = [{"name": f"{p.outcome}.{p.parameter}", **asdict(p)} for p in describe.priors(study)]
    return pd.DataFrame(rows).set_index("name")
