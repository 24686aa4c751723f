"""What a study assumes, as one object."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.measured import Measured
from bayesmyo.model.published import Published, published
from bayesmyo.model.submodel import Submodel
from bayesmyo.study.parameters import Parameter, inventory
from bayesmyo.study.predictors import Block, blocks
from bayesmyo.study.study import Study


@dataclass(frozen=True, eq=False)
class Spec:
    """What a study assumes, stated once for it (`spec`): who builds, scores or stores loops over its
    submodels.

    submodels: everything that has a likelihood, by name, in the study's order; a submodel names its predictors and
        effects
    parameters: of the population, by submodel and name, with their priors; those between submodels under `correlations`
    blocks: the effects that are correlated with each other
    """

    study: Study

    @cached_property
    def submodels(self) -> Mapping[str, Submodel]:
        return MappingProxyType({**self.measured, **self.events})

    @cached_property
    def measured(self) -> Mapping[str, Measured]:
        """Those of the outcomes, which are drawn at visits."""
        return MappingProxyType({name: Measured(self.study, name) for name in self.study.outcomes})

    @cached_property
    def events(self) -> Mapping[str, TimeToEvent]:
        """Those of the events, which happen in time."""
        return MappingProxyType({name: TimeToEvent(self.study, name) for name in self.study.events})

    @property
    def published(self) -> tuple[Published, ...]:
        """What was known before the first patient: of parameters alone, so that it has no rows and uses no effects."""
        return published(self.study)

    @cached_property
    def used(self) -> frozenset[str]:
        """The submodels at whose effects another one looks."""
        return frozenset(name for submodel in self.submodels.values() for name in submodel.uses)

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Parameter]]:
        return inventory(self.study)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return blocks(self.study)


def spec(study: Study) -> Spec:
    """What a study assumes; the same object whenever it is asked."""
    return study.once(Spec)


__all__ = ["Spec", "spec"]
