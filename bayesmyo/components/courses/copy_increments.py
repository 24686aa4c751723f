"""As if treatment stopped at the exit, what it gave so far being kept: copy increments in reference."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesmyo.components.courses.course import Affine, Course, Paths


@dataclass(frozen=True, kw_only=True)
class CopyIncrements(Course):
    """The level at the exit, and from there on the increments of the mean course of the reference group.

    Reference: Carpenter, Roger and Kenward (2013), https://doi.org/10.1080/10543406.2013.834911.
    """

    kind: Literal["copy increments"] = "copy increments"
    looks_back: ClassVar[bool] = True
    compares: ClassVar[bool] = True

    @property
    def sentence(self) -> str:
        return "went on from where they left as the reference group did on average"

    @property
    def had(self) -> str:
        return "gone on from where they left as the reference group did on average"

    def after(self, paths: Paths) -> Affine:
        return paths.at_exit + paths.reference - paths.reference_at_exit, 0.0
