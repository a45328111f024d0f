"""What a checkpoint belongs to: digests of all that its work follows from.

Invariant: tables that are encoded otherwise and options that can change a result have different digests. No digest
tells anything of a single row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

import numpy as np

import crmcore
from crmcore.errors import UnusableCheckpoint
from crmcore.identity.batch.checkpoint import Key
from crmcore.identity.batch.field_encoding import Encoded
from crmcore.identity.batch.fields import Coded
from crmcore.identity.batch.texts import parts_of, texts_of
from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.policy import Policy

_DECIDING = ("rapidfuzz", "anyascii", "pyarrow")
"""Libraries on which it depends what texts are made into and how alike they are."""


def key_of(
    found: Encoded,
    matcher: Matcher | MatchModel,
    kind: str | None,
    *,
    apart: Iterable[tuple[int, int]],
    together: Iterable[tuple[int, int]],
    excluded: Mapping[int, str],
    sources: Sequence[str] | None,
    further: Sequence[Any] = (),
) -> Key:
    """The key of a run on a table; *further* are options that others have beside these.

    Raises:
        UnusableCheckpoint: if the matcher compares by columns of somebody's own.
    """
    options = [
        _matcher(matcher), kind, sorted(apart), sorted(together), sorted(excluded),
        None if sources is None else list(sources), list(further),
    ]  # fmt: skip
    return Key(
        table=_table(found),
        options=blake2b(
            json.dumps(options, default=list).encode("utf-8", "replace"), digest_size=16
        ).hexdigest(),
        version=" ".join((crmcore.__version__, *map(version, _DECIDING))),
    )


def _matcher(matcher: Matcher | MatchModel) -> Any:
    if isinstance(matcher, MatchModel):
        return ["model", matcher.to_text()]
    if any(column not in COLUMNS for column in matcher.columns):
        raise UnusableCheckpoint(
            "what columns of your own compare cannot be told apart from one run to the next: leave the checkpoint out"
        )
    return ["matcher", [column.name for column in matcher.columns], _policy(matcher.policy), matcher.budget]


def _policy(policy: Policy) -> Any:
    rules = [(rule.name, rule.ruling, sorted(rule.where.items())) for rule in policy.rules]
    return [policy.false_merge, policy.false_split, policy.review, policy.threshold, rules]


def _table(found: Encoded) -> str:
    digest = blake2b(digest_size=16)
    digest.update(np.ascontiguousarray(found.kinds).data)
    for name in sorted(found.columns):
        column = found.columns[name]
        digest.update(f"{name} {len(column.codes)} {len(column.values)}\n".encode())
        digest.update(np.ascontiguousarray(column.codes).data)
        for piece in parts_of(_texts(column)):
            digest.update(np.ascontiguousarray(piece).data)
    return digest.hexdigest()


def _texts(column: Coded) -> Any:
    if column.content is not None:
        return column.content
    return texts_of(["", *(" ".join(value) for value in column.values[1:])])
