"""Version 1 of the protocol is frozen: every call with its arguments, every value with its fields, in both colours."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import crmcore.storage as storage
from crmcore.storage import PROTOCOL

FROZEN = Path(__file__).with_name("protocol_1.txt")
STORES = ("Store", "AsyncStore")
PARTS = ("Bulk", "Stream", "Snapshot", "Backup", "Eraser", "Durable", "Schema", "Tenants")
VALUES = """Ref Key Sort Record Draft Entry Put Delete Rekey Append Check CheckStream CheckKey Batch Receipt Hits Page
Change FeedPage Capability Limits Description NewRecord NewEntry Row Chunk Refusal ChunkReceipt StoredTenant
StoredRecord StoredEntry StoredBatch Restored Erasure Residual ErasureReport Integrity Problem SchemaState""".split()


def calls(protocol: type) -> Iterator[str]:
    for name, call in sorted(vars(protocol).items()):
        if inspect.isfunction(call) and not name.startswith("_"):
            kind = "async def" if inspect.iscoroutinefunction(call) else "def"
            yield f"{kind} {name}{inspect.signature(call)}"


def fields(value: type) -> Iterator[str]:
    if attrs.has(value):
        for field in attrs.fields(value):
            default = "" if field.default is attrs.NOTHING else f" = {field.default!r}"
            yield f"{field.name}: {field.type}{'  (by name)' if field.kw_only else ''}{default}"
    else:
        defaults: dict[str, Any] = value._field_defaults  # type: ignore[attr-defined]  # a named tuple
        for name, type_ in value.__annotations__.items():
            text = type_.__forward_arg__ if hasattr(type_, "__forward_arg__") else type_
            yield f"{name}: {text}" + (f" = {defaults[name]!r}" if name in defaults else "")


def protocol_text() -> str:
    lines = [PROTOCOL]
    for name in (*STORES, *PARTS, *(f"Async{part}" for part in PARTS)):
        lines += ["", name, *(f"    {line}" for line in calls(getattr(storage, name)))]
    for name in VALUES:
        lines += ["", name, *(f"    {line}" for line in fields(getattr(storage, name)))]
    return "\n".join(lines) + "\n"


def test_version_1_is_what_it_was() -> None:
    """Whoever wrote a store for version 1 must find it unchanged: a change here is a new version, or a new part."""
    assert protocol_text() == FROZEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Store", *PARTS])
def test_both_colours_have_the_same_calls(name: str) -> None:
    sync, other = (list(calls(getattr(storage, prefix + name))) for prefix in ("", "Async"))
    made_sync = [line.replace("async def", "def").replace("AsyncSnapshot", "Snapshot") for line in other]
    assert made_sync == sync


if __name__ == "__main__":
    FROZEN.write_text(protocol_text(), encoding="utf-8")
