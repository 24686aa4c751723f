"""A posterior by way of its normal approximation: found in milliseconds, corrected by exact sampling, and certified.

In coordinates in which patients' effects are nearly standard normal given the parameters (see `inference/effects.py`:
integrated, informed) the posterior of a small cohort is nearly normal as a whole. So one mode and one matrix of second
derivatives say where it is and how wide (`normal.py`). No draw of that approximation is ever handed out: importance
weights (`importance.py`) or Hamiltonian trajectories in its coordinates (`hamiltonian.py`) make the draws exact up to
Monte Carlo error, and say of themselves whether they did.
"""
