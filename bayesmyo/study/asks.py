"""Two studies side by side: do they model alike, and what does one ask that the other does not?"""

from bayesmyo.study.study import Study

MODEL = (
    "outcomes",
    "events",
    "evidence",
    "covariates",
    "correlate",
    "correlation_prior",
    "correlate_residuals",
    "time",
)  # on which a posterior depends, the data apart


def modelled_otherwise(study: Study, other: Study) -> list[str]:
    """What one study models otherwise than another.

    Returns
    -------
    list of str
        The keys of `Study` that differ, or "typical follow-up"; empty where their posteriors are the same.
    """
    different = [what for what in MODEL if getattr(study, what) != getattr(other, what)]
    if not different and any(study.scale(o) != other.scale(o) for o in study.outcomes):
        return ["typical follow-up"]  # on which default priors are set
    return different


def added(study: Study, other: Study) -> list[str]:
    """Names of the estimands and decisions of the other study that the first does not ask, or asks otherwise."""
    pairs = [(study.estimands, other.estimands), (study.decisions, other.decisions)]
    return [name for before, now in pairs for name, asked in now.items() if before.get(name) != asked]
