"""Seeds by address, not by order: any replicate can be run alone, in any order, by anyone."""

import numpy as np

SIMULATE, SAMPLE, PREDICT, AHEAD = 0, 1, 2, 3


def address(seed: int, role: int, cell: int = 0, replicate: int = 0, *further: int) -> int:
    """The seed of one role (simulate, sample, predict, look ahead) in one replicate of one cell, from the root seed.

    further: where one role needs several seeds, which of them
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(cell, replicate, role, *further))
    return int(sequence.generate_state(1, np.uint64)[0])
