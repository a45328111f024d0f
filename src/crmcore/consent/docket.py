"""The rules that a question is put to, in the order in which their answers count.

Invariant: a docket holds every rule that is in force about its channel and its purpose, or, narrowed, every one of them
that may come to something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from crmcore.consent.pack import Rule


class Docket(NamedTuple):
    """The rules in force about a channel and a purpose, each group in the order in which its answers count.

    *stops* deny whatever permits; *limits* deny what would be permitted. *defeaters* are, by the id of a rule, the
    rules that defeat it, *profiles* what makes a Yes one. Until *until*, in microseconds, the same rules are in force.
    *narrowed* holds what was made of it for those of whom the same is known, by their keys; one of those is *steady* if
    what it comes to hangs on what was done, and on nothing that changes with time.
    """

    classifying: tuple[Rule, ...]
    stops: tuple[Rule, ...]
    permits: tuple[Rule, ...]
    limits: tuple[Rule, ...]
    defeaters: Mapping[str, tuple[Rule, ...]]
    until: int
    profiles: Mapping[str, Any]
    narrowed: dict[Any, Any]
    steady: bool = False
