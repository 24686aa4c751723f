"""What a fit is worth, and what it says.

diagnostics.py   R-hat, effective sample sizes and Monte Carlo errors of many quantities at once
checks/          one file per check, one result record
check.py         the verb `check`: Fit -> results
estimate.py      the verb `estimate`: Fit -> every estimand, parameter and decision
correlations.py  how patients' starts and changes hang together, over outcomes
prior.py         what the priors believe, in clinical units
"""
