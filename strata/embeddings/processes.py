"""Several processes that train one model: each reads a part of a step's texts, and all take the same step.

`torchrun` or, on GPUs, `accelerate launch` starts them, on one machine or several, and says to each which one it is.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import torch

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """`count` processes, of which this is number `place`, from 0; alone, they exchange nothing."""

    count: int = 1
    place: int = 0

    @classmethod
    def joined(cls) -> Self:
        """Those that were started with this one, or this one alone."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        from accelerate import PartialState  # seconds to import

        state = PartialState(cpu=not torch.cuda.is_available())  # it makes the process's own GPU the current one
        return cls(state.num_processes, state.process_index)

    @property
    def first(self) -> bool:
        """Whether this one writes and shows what all of them have."""
        return self.place == 0

    def own(self, parts: Sequence[T]) -> Sequence[T]:
        """The parts that this process does."""
        return parts[self.place :: self.count]

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of all processes' values, the same in each."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
        return values

    def add_up_gradients(self, weights: Iterable[torch.nn.Parameter]) -> None:
        """Give every process the sum of all gradients."""
        if self.count > 1:
            for weight in weights:
                weight.grad = self.summed(torch.zeros_like(weight) if weight.grad is None else weight.grad)

    def told(self, value: Any) -> Any:
        """What the first process has, to all of them: where floats might differ, they must decide alike."""
        values = [value]
        if self.count > 1:
            torch.distributed.broadcast_object_list(values, 0)
        return values[0]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            torch.distributed.barrier()


ALONE = Processes()
