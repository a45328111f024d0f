"""A store file in which many people have left traces everywhere, and a search for what is left of them."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import attrs

from crmcore.storage import Erasure, Key, Ref, Sort, SqliteStore
from crmcore.storage.protocol import Batch, Operation
from crmcore.testing.kit import NOW, TENANT, append, put, uid
from crmcore.values.source import SYSTEM

_MARK = re.compile(rb"qz(\d{6})[a-z]")


def mark(number: int, what: str) -> str:
    """A text that is nowhere else; *what* is a letter."""
    return f"qz{number:06d}{what}"


def person(number: int) -> Ref:
    return Ref(TENANT, "party", uid(number))


def fill(store: SqliteStore, people: int, *, seed: int = 1) -> None:
    """Each of five or tens of people gets a body, keys, sorts, entries, reasons, idempotency keys; all change."""
    chance = random.Random(seed)
    versions = dict.fromkeys(range(people), 0)
    together = min(people, 10)
    order: list[int] = []
    for _ in range(3):
        order += chance.sample(range(people), people)
    for turn, start in enumerate(range(0, len(order), together)):
        numbers = sorted(order[start : start + together])
        ops: list[Operation] = []
        for number in numbers:
            versions[number] += 1
            ops += _written(chance, number, versions[number])
        names = "".join(mark(number, "i") for number in numbers)
        batch = Batch(
            tenant=TENANT, ops=tuple(ops), idem=f"{turn}{names}", actor=SYSTEM, reason=names, at=NOW
        )
        store.apply(batch)


def _written(chance: random.Random, number: int, version: int) -> list[Operation]:
    text = mark(number, "b") * chance.choice([1, 2, 10, 60, 700])
    keys = [Key("email", f"{chance.random()}{mark(number, 'k')}") for _ in range(chance.randint(1, 6))]
    sorts = [Sort("name", chance.choice(["", "a"]), f"{chance.random()}{mark(number, 's')}".encode())]
    made = append(f"party:{number}", {"text": mark(number, "e") * chance.choice([1, 30])})
    entry = attrs.evolve(made, entry=attrs.evolve(made.entry, subjects=(uid(number),)))
    return [put(person(number), version - 1, {"text": text}, keys, sorts, schema=1), entry]


def erasure(numbers: list[int], idem: str = "erase") -> Erasure:
    return Erasure(
        tenant=TENANT,
        refs=frozenset(map(person, numbers)),
        subjects=frozenset(map(uid, numbers)),
        idem=idem,
        actor=SYSTEM,
        at=NOW,
    )


def left(path: Path, numbers: list[int]) -> Counter[str]:
    """How often a mark of one of *numbers* is in each file of a store, also as the hexadecimal text of a sort."""
    wanted = {f"{number:06d}".encode() for number in numbers}
    found: Counter[str] = Counter()
    for file in path.parent.glob(f"{path.name}*"):
        data = file.read_bytes()
        found[file.name] += sum(1 for one in _MARK.findall(data) if one in wanted)
        hexed = bytes.fromhex("".join(re.findall(r"717a[0-9a-f]{14}", data.decode("latin-1"))))
        found[file.name] += sum(1 for one in _MARK.findall(hexed) if one in wanted)
    return +found
