"""Better or worse by the same amount ever after."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesmyo.components.component import Scale
from bayesmyo.components.courses.course import Affine, Course, Paths


@dataclass(frozen=True, kw_only=True)
class Shift(Course):
    """The own course, moved by `d`; negative is worse. By default to three of the declared spreads between patients."""

    kind: Literal["shift"] = "shift"
    amount: ClassVar[str] = "d"
    benefit: ClassVar[bool] = True
    whole: ClassVar[bool] = False
    farthest: ClassVar[float] = -3.0

    @property
    def sentence(self) -> str:
        return "were moved by d from their own course"

    @property
    def had(self) -> str:
        return "been moved by d from their own course"

    def after(self, paths: Paths) -> Affine:
        return paths.own, 1.0

    def unit(self, scale: Scale) -> float:
        return scale.spread
