"""Some of the way back to the start."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesmyo.components.courses.course import Affine, Course, Paths


@dataclass(frozen=True, kw_only=True)
class Return(Course):
    """A share `w` of the way back from the own course to the own start: 0 is the own course, 1 the start."""

    kind: Literal["return"] = "return"
    amount: ClassVar[str] = "w"
    farthest: ClassVar[float] = 1.0

    @property
    def sentence(self) -> str:
        return "went a share w of the way back to their own start"

    @property
    def had(self) -> str:
        return "gone a share w of the way back to their own start"

    @property
    def verb(self) -> tuple[str, str]:
        return "go", "gone"

    def after(self, paths: Paths) -> Affine:
        return paths.own, paths.start - paths.own
