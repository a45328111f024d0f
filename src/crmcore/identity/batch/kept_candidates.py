"""Candidates as arrays of whole numbers, which a checkpoint keeps, and back.

Invariant: what comes back is what was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.blocking import Blocked
from crmcore.identity.batch.debtors import Debtors
from crmcore.identity.model.recall_debt import Block, Sample

_COUNTS = ("blocks", "oversized", "left_out", "cap")


def arrays_of_candidates(found: Blocked) -> dict[str, NDArray[Any]]:
    """The pairs, what is counted, and the sample of what is left out."""
    owed = found.debtors
    blocks = [(block.stratum, block.total, len(block.pairs)) for block in owed.sample.blocks]
    return {
        "a": found.a,
        "b": found.b,
        "counts": np.array([*(getattr(found, name) for name in _COUNTS), found.near], dtype=np.int64),
        "owed_a": owed.a,
        "owed_b": owed.b,
        "owed_times": owed.times,
        "owed_blocks": np.array(blocks, dtype=np.int64).ravel(),
        "owed_strata": np.array(list(owed.sample.strata.items()), dtype=np.int64).ravel(),
    }


def candidates_of(arrays: Mapping[str, NDArray[Any]]) -> Blocked:
    """The candidates of such arrays."""
    a, b = arrays["owed_a"], arrays["owed_b"]
    blocks = arrays["owed_blocks"].reshape(-1, 3)
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    bounds = pairwise([0, *np.cumsum(blocks[:, 2]).tolist()])
    sample = Sample(
        [
            Block(stratum, total, pairs[low:high])
            for (stratum, total, _), (low, high) in zip(blocks.tolist(), bounds, strict=True)
        ],
        {int(stratum): int(count) for stratum, count in arrays["owed_strata"].reshape(-1, 2)},
    )
    *counted, near = arrays["counts"].tolist()
    return Blocked(
        a=arrays["a"],
        b=arrays["b"],
        debtors=Debtors(sample, a, b, arrays["owed_times"]),
        near=bool(near),
        **dict(zip(_COUNTS, counted, strict=True)),
    )
