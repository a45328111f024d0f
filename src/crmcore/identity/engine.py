"""The ways to run one model: in plain Python, which is the reference, and with arrays where numpy and pyarrow are.

Invariant: which of them ran makes no difference but in time and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Literal

from crmcore.errors import InvalidModel, MissingExtra
from crmcore.identity.features import Features
from crmcore.identity.model.counting import Counting
from crmcore.identity.model.learning import Count
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model.training import Training
from crmcore.identity.model_scan import ModelScan
from crmcore.identity.scan import Scan

Engine = Literal["batch", "reference"]

MakeScan = Callable[
    [
        Sequence[Features],
        LearnedMatcher,
        Training | None,
        Mapping[Features, int],
        Sequence[str] | None,
        int | None,
    ],
    Scan,
]


def chosen(engine: Engine | None = None) -> Engine:
    """The engine asked for, or the fastest that is installed.

    Raises:
        MissingExtra: if the one asked for is not installed.
        InvalidModel: if there is no such engine.

    >>> chosen("reference")
    'reference'
    """
    if engine not in (None, "batch", "reference"):
        raise InvalidModel("there is no such engine: choose 'batch' or 'reference'")
    missing = [name for name in ("numpy", "pyarrow") if find_spec(name) is None]
    if engine == "batch" and missing:
        raise MissingExtra(f"the batch engine needs {' and '.join(missing)}: pip install 'crmcore[batch]'")
    return engine or ("reference" if missing else "batch")


def counting_by(engine: Engine) -> Count:
    """What makes evidence of records. Imported when asked for: arrays are an extra, and take their time."""
    if engine == "reference":
        return Counting
    from crmcore.identity.batch.fast_scan import counted

    return counted


def scan_by(engine: Engine) -> MakeScan:
    """What compares records by a model."""
    if engine == "reference":
        return ModelScan
    from crmcore.identity.batch.fast_scan import FastScan

    return FastScan
