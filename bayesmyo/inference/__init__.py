"""The answer: Study + Cohort -> pm.Model -> draws -> Fit. Everything that loads PyMC is here or above.

compiler.py   settings of the compiler, before anything imports it
effects.py    how patient-level coefficients are sampled, and back to effects
build.py      Study + Cohort -> pm.Model
integrate.py  effects that are integrated out exactly, jointly over outcomes
informed.py   effects that are sampled around what measurements say of them
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
