"""What is passed around inside shows no value of a customer when it is printed or logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from crmcore import Crm, Person
from crmcore.app import loading
from crmcore.app.surroundings import Seen
from crmcore.identity.features import features_of
from crmcore.identity.near_keys import single_keys
from crmcore.identity.projection import project
from crmcore.storage import MemoryStore, bulk_plan
from crmcore.storage.bulk import Chunk
from crmcore.storage.describe import LIMITS
from crmcore.storage.document import Json
from crmcore.storage.plan import decide
from crmcore.storage.protocol import Batch
from crmcore.storage.validate import check_batch
from tests.app.houses import options

CANARY = "Zebedee"
DRAFT = Person.of(f"{CANARY} Lee", email=f"{CANARY}@x.org", tags=(CANARY,))


class Listening(MemoryStore):
    """A store that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def apply(self, batch: Batch, **more: Any) -> Any:
        self.told.append(batch)
        return super().apply(batch, **more)

    def load(self, chunk: Chunk, **more: Any) -> Any:
        self.told.append(attrs.evolve(chunk, rows=list(chunk.rows)))
        return super().load(self.told[-1], **more)


def passed_around() -> Iterator[Any]:
    """One of each, and what lies inside of it."""
    projection = project(features_of(DRAFT))
    yield projection
    yield Seen({"a": projection}, {"a": (frozenset(single_keys(projection)), projection.values)})
    yield loading._read(DRAFT)
    yield Json.of({"name": CANARY})
    store = Listening()
    crm = Crm(store, **options())
    crm.parties.add(DRAFT)
    crm.parties.load([DRAFT], idem="one")
    batch, chunk, *_ = store.told
    checked = check_batch(batch, LIMITS, frozenset())
    loaded = bulk_plan.check_chunk(chunk, LIMITS, frozenset())
    for one in (batch, chunk, checked, loaded, decide(checked, {}, {}, {})):
        yield one
        yield from inside(one)


def inside(one: Any) -> Iterator[Any]:
    parts = [getattr(one, name) for name in getattr(one, "_fields", ())] if isinstance(one, tuple) else []
    if attrs.has(type(one)):
        parts = [getattr(one, field.name) for field in attrs.fields(type(one))]
    for part in (*parts, *(one if isinstance(one, (list, tuple)) and not parts else ())):
        if isinstance(part, (tuple, list)) or attrs.has(type(part)):
            if hasattr(part, "_fields") or attrs.has(type(part)):
                yield part
            yield from inside(part)


def test_no_value_is_shown() -> None:
    kinds = set[str]()
    for one in passed_around():
        kinds.add(type(one).__name__)
        assert CANARY.lower() not in repr(one).lower(), type(one).__name__
    assert {
        "Projection",
        "Seen",
        "_Read",
        "Json",
        "Write",
        "Addition",
        "Checked",
        "NewRecord",
        "NewEntry",
    } <= kinds
