"""A study in R: as packages for mixed models fit it by likelihood and as brms would write it, or why they cannot.

terms.py        a linear predictor as terms of a formula, and the table that they are about
likelihood.py   the call that fits an outcome by likelihood
brms.py         the formula of brms
"""

from bayesmyo.study.in_r.brms import brms
from bayesmyo.study.in_r.likelihood import NONE, likelihood
from bayesmyo.study.in_r.terms import table

__all__ = ["NONE", "brms", "likelihood", "table"]
