"""Residuals: how the measurements of one patient hang together beyond what the patient's own curve explains.

To add one: copy `ou.py` to a new file, write its methods, and add its line to `RESIDUALS`.
"""

from bayesmyo.components.residuals.ou import OrnsteinUhlenbeck
from bayesmyo.components.residuals.residual import Residual
from bayesmyo.components.residuals.unstructured import Unstructured

RESIDUALS: tuple[type[Residual], ...] = (OrnsteinUhlenbeck, Unstructured)

__all__ = ["RESIDUALS", "OrnsteinUhlenbeck", "Residual", "Unstructured"]
