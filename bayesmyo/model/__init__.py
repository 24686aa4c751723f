"""The answer: Study + Cohort -> pm.Model -> Fit.

compiler.py   settings of the compiler, before anything imports it
data.py       Cohort -> the arrays a compiled model is handed, validated
effects.py    how patient-level coefficients are sampled, and back to effects
build.py      Study + Cohort -> pm.Model
integrate.py  effects that are integrated out exactly, jointly over outcomes
informed.py   effects that are sampled around what measurements say of them
recover.py    draws of integrated effects and imputed covariates
engines/      pm.Model -> draws
mixing.py     have chains mixed, and when to sample on
versions.py   versions of what computes
layout.py     what a Fit holds, by name, dimensions and type
fit.py        the verb `fit`, and the Fit
contents.py   what a stored fit says of itself, checked before one array is read
store.py      Fit <-> file; a copy without patient data
verify.py     the verb `verify`
trial.py      a tiny fit, to see that the machine can

`compiler` comes first: draws are reproducible only if the compiler is configured before it is imported.
"""

from bayesmyo.model import compiler

compiler.configure()
