"""A person who is everywhere in a store, and what it takes to erase her.

Invariant: every text that belongs to her holds one of her canaries, and nobody else has one.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

import attrs

from crmcore.storage import Append, AsyncStore, Batch, Draft, Erasure
from crmcore.testing.kit import (
    NOW,
    TENANT,
    A,
    B,
    Writer,
    due,
    email,
    put,
    ref,
    rekey,
    source,
    uid,
)
from crmcore.values.source import SYSTEM

HER, HIM = uid(1), uid(2)
NOTE = ref(1, kind="note")
BODY, KEY, HELD, ENTRY, SHARED, REASON, IDEM, NAME = (
    f"canary-{word}-q7Xz" for word in "body key held entry shared reason idem name".split()
)
MARKS = (BODY, KEY, HELD, ENTRY, SHARED, REASON, IDEM, NAME)
"""What must not be left of her."""


def entry(stream: str, text: str, *subjects: str) -> Append:
    draft = Draft(occurred_at=NOW, recorded_at=NOW, subjects=subjects, schema="note/1", body={"text": text})
    return Append(stream=stream, entry=draft)


async def settle(store: AsyncStore) -> Batch:
    """Write her and a man who knows her. The answer is a batch of hers, to be sent again."""
    write = Writer(store)
    hers = write.batch(
        put(A, 0, {"name": NAME, "text": BODY}, [email(KEY), source(HELD)], [due(1)]),
        entry("party:1", ENTRY, HER),
        entry("log:1", SHARED, HER, HIM),
        entry("log:1", "of him alone", HIM),
        idem=IDEM,
        reason=REASON,
    )
    await store.apply(hers)
    await write(put(NOTE, 0, {"text": BODY}, [email(KEY)]), idem=f"{IDEM}-2", reason=REASON)
    await write(put(A, 1, {"name": NAME, "text": BODY, "n": 2}, [email(KEY), source(HELD)]), idem=f"{IDEM}-3")
    alone, beside = (rekey(A, 2, [email(KEY), source(HELD)], [due(number)]) for number in (2, 4))
    await write(alone, idem=f"{IDEM}-4", reason=REASON)
    await write(entry("log:3", "of nobody"), beside, idem=f"{IDEM}-6", reason=REASON)
    await write(entry("log:1", ENTRY, HER), idem=f"{IDEM}-5")
    his = put(B, 0, {"name": "a man"}, [email("him"), source("his")], [due(3)])
    await write(his, entry("party:2", "his entry", HIM), idem="his")
    await Writer(store, "other")(put(attrs.evolve(A, tenant="other"), 0, {"name": "another"}, [email("x")]))
    return hers


def erasure(idem: str = "erase-1") -> Erasure:
    """What takes her out of the store."""
    return Erasure(
        tenant=TENANT,
        refs=frozenset({A, NOTE}),
        streams=frozenset({"party:1"}),
        subjects=frozenset({HER}),
        idem=idem,
        actor=SYSTEM,
        reason="asked to be forgotten",
        at=NOW,
    )


def found_in(files: Iterable[Path], marks: Iterable[str]) -> list[tuple[Path, str]]:
    """Which of *marks* can be read in which file: as UTF-8, as UTF-16, in hexadecimal or in Base64."""
    spelled = {mark: spellings(mark) for mark in marks}
    found = []
    for path in files:
        data = path.read_bytes()
        found += [(path, mark) for mark, texts in spelled.items() if any(text in data for text in texts)]
    return found


def spellings(mark: str) -> set[bytes]:
    """The bytes in which a text may stand in a file.

    >>> b"canary" in spellings("canary"), b"63616e617279" in spellings("canary")
    (True, True)
    """
    plain = mark.encode()
    texts = {
        plain,
        mark.encode("utf-16-le"),
        mark.encode("utf-16-be"),
        plain.hex().encode(),
        plain.hex().upper().encode(),
    }
    for shift in range(
        3
    ):  # a Base64 text looks different by where it begins; its ends depend on its neighbours
        coded = base64.b64encode(b"\0" * shift + plain)
        texts.add(coded[(0, 2, 3)[shift] : -4])
    return texts
