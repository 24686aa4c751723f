"""R, where it is installed: a fit by a printed line, and what it found."""

import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import pytest

FACTS = r"""
say <- function(what, x) cat(what, sprintf("%.14g", as.numeric(x)), "\n")
spread <- function(group, covariance) {
  say(paste0("sd.", group), sqrt(diag(covariance)))
  say("correlation", cov2cor(covariance)[lower.tri(covariance)])
}
groups <- function(listed) for (i in seq_along(listed)) spread(sub("[.].*", "", names(listed)[i]), listed[[i]])
facts <- function(f) {
  if (inherits(f, "lme") && f$method == "REML") { library(nlme); f <- update(f, method = "ML") }
  if (inherits(f, "lmerMod")) f <- lme4::refitML(f)
  if (inherits(f, "glmerMod")) f <- update(f, control = lme4::glmerControl(tolPwrss = 1e-12))  # its own is 0.005 of a likelihood
  say("logLik", logLik(f))
  if (inherits(f, "merMod")) {
    say("fixed", lme4::fixef(f)); groups(lme4::VarCorr(f)); say("sigma", sigma(f))
  } else if (inherits(f, "glmmTMB")) {
    say("fixed", glmmTMB::fixef(f)$cond); groups(glmmTMB::VarCorr(f)$cond); say("sigma", sigma(f))
    say("zi", glmmTMB::fixef(f)$zi); for (v in glmmTMB::VarCorr(f)$zi) say("sd.zi", sqrt(diag(v)))
    say("psi", f$fit$par[names(f$fit$par) == "psi"])
  } else if (inherits(f, "clmm")) {
    say("thresholds", f$alpha); say("fixed", f$beta); groups(ordinal::VarCorr(f))
  } else if (inherits(f, "clm")) {
    say("thresholds", f$alpha); say("fixed", f$beta)
  } else if (inherits(f, "lme")) {
    say("fixed", nlme::fixef(f)); spread(names(f$groups), as.matrix(f$modelStruct$reStruct[[1]]) * f$sigma^2)
    v <- f$modelStruct$varStruct
    times <- if (is.null(v)) 1 else coef(v, unconstrained = FALSE, allCoef = TRUE)[levels(d[[all.vars(formula(v))]])]
    say("sigma", f$sigma * times)
  } else {
    say("fixed", coef(f)); say("sigma", sqrt(mean(residuals(f)^2)))
  }
}
"""


def needed(*packages: str) -> None:
    """Skip the test where R or a package of it is not there."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed")
    if lacking := set(packages) - installed():
        pytest.skip(f"R lacks {', '.join(lacking)}")


@cache
def installed() -> set[str]:
    """R's packages."""
    return set(run("cat(rownames(installed.packages()))").split())


def run(script: str) -> str:
    """What a script prints."""
    command = ["Rscript", "--vanilla", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Found:
    """What R found, by name, in R's order: logLik, fixed, sd.GROUP, correlation, sigma, zi, psi, thresholds."""

    numbers: dict[str, list[float]]

    def __getitem__(self, name: str) -> list[float]:
        return self.numbers.get(name, [])


def fitted(table: list[str], line: str) -> list[Found]:
    """What the calls of a printed line find in the table that the lines before it read."""
    calls = line.split("  # ")[0].split("; ")
    script = "\n".join([FACTS, *table, *(f'facts({call}); cat("next\\n")' for call in calls)])
    parts = run(script).split("next\n")[:-1]
    listed = []
    for part in parts:
        numbers: dict[str, list[float]] = defaultdict(list)
        for what, *values in (row.split() for row in part.splitlines() if row.strip()):
            numbers[what] += [float(v) for v in values]
        listed.append(Found(dict(numbers)))
    return listed
