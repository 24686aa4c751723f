"""Better or worse by more and more."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesmyo.components.component import Scale
from bayesmyo.components.courses.course import Affine, Course, Paths


@dataclass(frozen=True, kw_only=True)
class Drift(Course):
    """The own course, moved by `d` more with each unit of time since the exit; negative is worse."""

    kind: Literal["drift"] = "drift"
    amount: ClassVar[str] = "d"
    benefit: ClassVar[bool] = True
    per_time: ClassVar[bool] = True
    looks_back: ClassVar[bool] = True
    whole: ClassVar[bool] = False
    farthest: ClassVar[float] = -3.0

    @property
    def sentence(self) -> str:
        return "drifted from their own course by d with each unit of time"

    def after(self, paths: Paths) -> Affine:
        return paths.own, paths.since

    def unit(self, scale: Scale) -> float:
        return scale.spread / (scale.follow_up or 1.0)
