"""The contract of a course: what becomes of a patient's expected course once the patient has left."""

from abc import abstractmethod
from typing import Any, ClassVar, Protocol

from bayesmyo.components.component import Component, Scale

Affine = tuple[Any, Any]  # what it is without its amount, and what each unit of the amount adds


class Paths(Protocol):
    """What is known of those who left, on the link scale, one array (..., patient) each, at one time after the exit."""

    @property
    def since(self) -> Any:
        """The time since the exit."""

    @property
    def own(self) -> Any:
        """The own course, as if the patient had stayed."""

    @property
    def start(self) -> Any:
        """The own course at its origin."""

    @property
    def at_exit(self) -> Any:
        """The own course at the exit."""

    @property
    def reference(self) -> Any:
        """The mean course of the reference group, moved by what the patient's own start differs from that of patients
        alike."""

    @property
    def reference_at_exit(self) -> Any:
        """The same at the exit."""


class Course(Component):
    """What the expected course of an outcome is after an exit, on the link scale.

    It is affine in its amount, a number that says how much: none, one for all, or one for each draw.
    """

    amount: ClassVar[str] = ""  # what the amount is called; empty where it takes none
    benefit: ClassVar[bool] = False  # the amount counts in the direction of benefit: negative is worse
    per_time: ClassVar[bool] = False  # the amount is told per unit of time
    looks_back: ClassVar[bool] = False  # it depends on when a patient left
    compares: ClassVar[bool] = False  # it needs a reference group, whose own patients keep their own course
    fails: ClassVar[bool] = False  # who left meets no criterion, and has no course to speak of
    whole: ClassVar[bool] = True  # of every predictor of the outcome; else of the location alone
    farthest: ClassVar[float] = 0.0  # the end of the amounts that are looked at by default, in `unit`

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What follows "those who left": "stayed at the level at which they left"."""

    @property
    def had(self) -> str:
        """The same where it did not happen, after "had they"."""
        return self.sentence

    @property
    def verb(self) -> tuple[str, str]:
        """What they would have had to do, before the amount; and had they done it."""
        return "be", "been"

    @abstractmethod
    def after(self, paths: Paths) -> Affine:
        """The course after the exit: a base, and what each unit of the amount adds to it."""

    def unit(self, scale: Scale) -> float:
        """The amount that means as much in every outcome, on the link scale: a usual difference between patients."""
        return 1.0
