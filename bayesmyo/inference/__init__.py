"""The answer: Study + Cohort -> pm.Model -> draws -> Fit. Everything that loads PyMC is here or above.

compiler.py   settings of the compiler, before anything imports it
effects.py    how patients' effects are sampled, and how they follow from what was
build.py      Study + Cohort -> pm.Model
whiten.py     correlated residuals made uncorrelated, in one compiled loop
recover.py    draws of integrated effects and imputed covariates
engines/      pm.Model -> draws
mixing.py     have chains mixed, and when to sample on
layout.py     what a Fit holds, by name, dimensions and type
fit.py        the verb `fit`, and the Fit
contents.py   what a stored fit says of itself, checked before one array is read
store.py      Fit <-> file; a copy without patient data
verify.py     the verb `verify`
trial.py      a tiny fit, to see that the machine can

`compiler` comes first: draws are reproducible only if the compiler is configured before it is imported.
"""

from bayesmyo.inference import compiler

compiler.configure()
