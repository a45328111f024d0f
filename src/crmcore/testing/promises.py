"""What a store promises, in a sentence each, and which parts each level asks for.

Invariant: every check belongs to one promise of this page, and levels are cumulative.
"""

from __future__ import annotations

from collections.abc import Mapping

from crmcore.storage.capability import BACKUP, BULK, CHANGES, DURABLE, ERASER, SCHEMA, STREAM

PROMISES: Mapping[str, tuple[str, str]] = {
    "G0": ("as it says", "A store has the calls of the protocol, and what it says of itself is so."),
    "G1": ("atomic", "All of a batch can be seen, or nothing of it."),
    "G2": ("versions", "A write applies only over the version that it expects; no version is ever used again."),
    "G3": ("isolation", "Batches, with what they say they have read, apply as if one after another."),
    "G4": ("idempotent", "A batch that is sent again is applied once and answered as the first time."),
    "G5": ("indexes", "What is found and ordered is exactly what the records carry now, byte by byte."),
    "G6": ("round trip", "What is kept is what was given, to the byte and the microsecond."),
    "G7": ("tenants", "No call for one tenant sees or changes anything of another."),
    "G8": ("ledgers", "Entries are numbered 1 to n in the order of commits, and never change."),
    "G9": ("feed", "Every change comes once, in the order of commits, those of a batch together."),
    "G10": ("pages", "What is there all the time comes exactly once, whatever is written between two pages."),
    "G11": ("durable", "What was acknowledged is there when the store is opened again."),
    "G12": ("known outcome", "Whether a batch was applied can always be known, and that answer is final."),
    "G13": ("no sharing", "Changing what was passed in or handed out changes nothing that is kept."),
    "G14": ("erasure", "What was erased cannot be read by any call or in any file, but for what the report admits."),
    "G15": ("migration", "An older store is brought up to date, and a newer one is never opened."),
    "G16": ("backup", "A snapshot is of one moment, and restores to an equal store or to nothing."),
    "G17": ("limits", "Limits are declared and exact, and what is over one is refused with nothing written."),
    "G18": ("bounded", "Every call ends in its time and gives back what it took."),
    "G19": ("no leak", "No error, log, warning or `repr` shows a value that is stored."),
    "A": ("the model", "Whatever is asked in whichever order, a store does what the plain model does."),
}  # fmt: skip
"""Each promise: its short name and its rule."""

LEVELS: Mapping[str, tuple[str, ...]] = {
    "L1": (),
    "L2": (CHANGES,),
    "L3": (DURABLE, SCHEMA),
    "L4": (ERASER,),
    "L5": (BULK, STREAM, BACKUP),
}
"""The parts that each level asks for beyond the one before. L3 also asks that the store keeps what it acknowledged."""


def asked_for(level: str) -> tuple[str, ...]:
    """The parts that a store of *level* has.

    >>> asked_for("L3")
    ('changes', 'durable', 'schema')
    """
    names = list(LEVELS)
    return tuple(part for name in names[: names.index(level) + 1] for part in LEVELS[name])
