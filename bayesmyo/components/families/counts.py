"""What counts of events share: the log link, the exposure, whole numbers."""

from typing import Any, ClassVar

import numpy as np

from bayesmyo.components.families.family import Family

LARGEST_LOG_RATE = 41.0  # NumPy draws no Poisson counts beyond about 9e18


class Counts(Family):
    """Counts with expected value exp(eta); the log of the exposure is part of eta. The declared `scale` is a ratio."""

    link_name: ClassVar[str] = "log"
    exposed: ClassVar[bool] = True

    def encode(self, values: Any) -> Any:
        return np.rint(values).astype(np.int64)

    def ends(self) -> tuple[float | None, float | None]:
        return 0.0, None

    def mean_has_moments(self) -> bool:
        return False

    def check(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values >= 0) & (values == np.round(values))

    def support(self) -> str:
        return "a whole number, zero or more"

    def expected(self) -> str:
        return "a positive number"

    def check_expected(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values > 0)
