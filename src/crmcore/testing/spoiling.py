"""Changing an answer in every place where it can be changed, as a careless caller may.

Invariant: nothing that cannot be changed is changed, so a store that shares nothing never notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


def spoil(answer: Any) -> int:
    """Change everything within *answer* that can be changed; how many places those were.

    >>> body = {"list": [1]}
    >>> spoil((body, "text")), body
    (2, {'spoiled': True})
    """
    if isinstance(answer, (list, tuple, set, frozenset)):
        within = list(answer)
    elif isinstance(answer, Mapping):
        within = [*answer, *answer.values()]
    elif attrs.has(type(answer)):
        within = [getattr(answer, field.name) for field in attrs.fields(type(answer))]
    else:
        return 0
    changed = sum(map(spoil, within))
    if isinstance(answer, dict):
        answer.clear()
        answer["spoiled"] = True
    elif isinstance(answer, list):
        answer.append("spoiled")
    elif isinstance(answer, set):
        answer.clear()
    return changed + isinstance(answer, (dict, list, set))
