"""Every call of the driver that `apply` makes, with every fault, for six shapes of batches: is each error true?

    python -m tests.faults.matrix sqlite
    python -m tests.faults.matrix postgres

A batch of each shape is sent with a fault in its first call, another with one in its second, and so on until there is
no such call. What the store says is compared with what is read afterwards through a store that knows no faults:
``not_applied`` must mean that nothing is there, a receipt that all is there, and after ``unknown`` the answer of
`outcome` must be the truth, and final. Never may a part of a batch be there. Then the same batch is sent again to the
store that met the fault, which must go on by itself (what is left of a broken connection may cost it a call that says
not applied, and to be sent again). No call may take longer than its timeout (and as long as the fault
held it) and a second; where a machine may be busy, some more.

It prints a table: for each shape and kind the faults, how many errors said not applied or unknown, how many batches
were answered with a receipt all the same, how many of the unknown were there, how many calls failed later, and the
wrong labels, which must be 0.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Protocol

import attrs

from crmcore.errors import Fenced, StoreError
from crmcore.storage import Append, Batch, Check, CheckKey, CheckStream, Delete, Operation, Put, Store
from crmcore.testing.kit import TENANT, Writer, append, delete, email, name_sort, put, ref, rekey, source

_numbers = count(1)

TIMEOUT = 0.3
"""Seconds that each batch is given."""


class Target(Protocol):
    """A store that meets faults. *store* has them, *other* does not; *held* is how long a fault itself takes."""

    kinds: tuple[str, ...]
    held: float
    store: Store
    other: Store

    def arm(self, kind: str, at: int) -> None:
        """From now on count calls, and let number *at* (from 1) fail."""
        ...

    def disarm(self) -> bool:
        """Let everything pass, and wait until the fault is over; whether it came about."""
        ...


def sent(idem: str, *ops: Operation) -> Batch:
    return Writer(None).batch(*ops, idem=idem)  # type: ignore[arg-type]  # only the batch is made


Shape = Callable[[int], tuple[tuple[Operation, ...], tuple[Operation, ...]]]
"""For a number of its own: what must be there before, and the batch."""


def new_record(n: int) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    keys = [email(f"{n}@x.org"), source(str(n))]
    return (), (put(ref(n), 0, {"n": n}, keys, [name_sort(b"ann")]),)


def change_and_delete(n: int) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    before = put(ref(n), 0, {"n": 0}, [email(f"{n}@x.org")]), put(ref(n + 1), 0, {}, (), [name_sort(b"b")])
    return before, (put(ref(n), 1, {"n": 1}, [email(f"{n}@y.org")]), delete(ref(n + 1), 1))


def entries(n: int) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    stream = f"log:{n}"
    return (append(stream),), (append(stream, {"n": n}, 1), append(stream, {"n": n}), append(f"more:{n}"))


def hand_over(n: int) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    """An exclusive key goes from one record to another, within the batch."""
    key = source(f"key-{n}")
    before = put(ref(n), 0, {}, [key]), put(ref(n + 1))
    marks = append(f"log:{n}"), CheckKey(key=key, holder=ref(n))
    return before, (rekey(ref(n), 1), rekey(ref(n + 1), 1, [key]), *marks)


def only_checks(n: int) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    return (put(ref(n)), append(f"log:{n}")), (
        Check(ref=ref(n), expect=1),
        Check(ref=ref(n + 1), expect=0),
        CheckStream(stream=f"log:{n}", seq=1),
        CheckKey(key=source(f"key-{n}"), holder=None),
    )


def many(n: int) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    puts = [put(ref(n + i), 0, {"i": i}, [email(f"{n}-{i}@x.org")], [name_sort(b"a")]) for i in range(45)]
    return (), (*puts, *(append(f"log:{n}:{i % 3}", {"i": i}) for i in range(40)))


SHAPES: dict[str, Shape] = {
    "a new record": new_record,
    "change and delete": change_and_delete,
    "entries": entries,
    "a key handed over": hand_over,
    "only checks": only_checks,
    "85 operations": many,
}


@attrs.define
class Line:
    """What came of all faults of one kind in one shape. *later* counts the errors of a batch that was sent again, which
    all said that it may be sent once more."""

    shape: str
    kind: str
    faults: int = 0
    not_applied: int = 0
    unknown: int = 0
    answered: int = 0
    there: int = 0
    later: int = 0
    slowest: float = 0.0
    wrong: list[str] = attrs.field(factory=list)


def matrix(
    target: Target, shapes: Mapping[str, Shape] = SHAPES, *, step: int = 1, grace: float = 1.0
) -> list[Line]:
    """For each shape and kind a fault in the first call, the second, and so on until a batch has no such call.

    With a *step* of more than 1, only in every so many-th: for the quick form. *grace* is how many seconds more than
    its time a call may take.
    """
    lines: list[Line] = []
    target.store.apply(sent(f"first-{next(_numbers)}", append("log:0")))  # the tenant is known from now on
    for name, shape in shapes.items():
        for kind in target.kinds:
            line = Line(name, kind)
            lines.append(line)
            while one_fault(target, shape, next(_numbers) * 100, line, 1 + step * line.faults):
                line.faults += 1
            if line.slowest > TIMEOUT + target.held + grace:
                line.wrong.append(f"{name}, {kind}: a call took {line.slowest:.1f} s")
    return lines


def one_fault(target: Target, shape: Shape, number: int, line: Line, at: int) -> bool:
    """Whether there was a call number *at*; if so, *line* has what came of it."""
    before, ops = shape(number)
    if before:
        target.store.apply(sent(f"before-{number}", *before))
    batch = sent(f"batch-{number}", *ops)
    start = target.other.changes(TENANT).watermark
    target.arm(line.kind, at)
    began = time.monotonic()
    try:
        target.store.apply(batch, timeout=TIMEOUT)
        said = "applied"
    except StoreError as error:
        said = error.outcome
    except BaseException as error:
        said = type(error).__name__
    took = time.monotonic() - began
    if not target.disarm():
        if said != "applied":
            line.wrong.append(f"{line.shape}, {line.kind}: without a fault, said {said}")
        return False
    line.slowest = max(line.slowest, took)
    line.not_applied += said == "not_applied"
    line.unknown += said == "unknown"
    line.answered += said == "applied"
    if problem := judged(target, batch, said, start, line):
        line.wrong.append(f"{line.shape}, {line.kind} at call {at}, said {said}: {problem}")
    return True


def judged(target: Target, batch: Batch, said: str, start: str, line: Line) -> str:
    """What is wrong with what was *said*, "" if nothing is."""
    if said not in {"applied", "not_applied", "unknown"}:
        return "no error of a store"
    effects = sum(isinstance(op, (Put, Delete, Append)) for op in batch.ops)
    events = there_of(target.other, batch.idem, start)
    if events not in (0, effects):
        return f"{events} of its {effects} changes are there"
    there = events > 0
    if effects and said != "unknown" and there != (said == "applied"):
        return "it is there" if there else "it is not there"
    if said == "unknown" and effects:
        line.there += there
        answer = target.other.outcome(batch.tenant, batch.idem)
        if (answer is not None) != there:
            return "outcome() lies"
    return again(target, batch, said, start, line, there=there, effects=effects)


def again(
    target: Target, batch: Batch, said: str, start: str, line: Line, *, there: bool, effects: int
) -> str:
    """Send the batch again, to the store that met the fault."""
    fenced = said == "unknown" and effects and not there
    for attempt in range(3):
        try:
            receipt = target.store.apply(batch, timeout=20)
            break
        except Fenced:
            return "" if fenced else "sent again, it is fenced"
        except StoreError as error:
            if attempt == 2 or not error.retryable or error.outcome != "not_applied":
                return f"sent again, it fails: {error}"
            line.later += 1
    if fenced:
        return "it was applied after outcome() had said that it never will be"
    if effects and receipt.replayed != there:
        return "sent again, it is applied twice" if there else "sent again, it is taken for known"
    if not effects and said != "unknown" and receipt.replayed != (said == "applied"):
        return f"sent again, replayed is {receipt.replayed}"
    if effects and there_of(target.other, batch.idem, start) != effects:
        return "sent again, it is not there as a whole"
    return ""


def there_of(store: Store, idem: str, start: str) -> int:
    """How many changes of a batch are in the feed."""
    found, position = 0, start
    while True:
        page = store.changes(TENANT, position, 1000)
        found += sum(change.idem == idem for change in page.items)
        if not page.items:
            return found
        position = page.next


def table(lines: list[Line]) -> str:
    head = f"{'shape':<18} {'fault':<22} faults  not applied  unknown  of them there  answered  later  slowest  wrong"
    rows = [
        f"{one.shape:<18} {one.kind:<22} {one.faults:>6} {one.not_applied:>12} {one.unknown:>8} {one.there:>14} "
        f"{one.answered:>9} {one.later:>6} {one.slowest:>6.2f} s {len(one.wrong):>6}"
        for one in lines
    ]
    faults, wrong = sum(one.faults for one in lines), [text for one in lines for text in one.wrong]
    return "\n".join([head, *rows, f"{faults} faults, {len(wrong)} wrong labels", *wrong[:30]])


def main() -> int:
    from tests.faults.faulty_postgres import faulty_postgres
    from tests.faults.faulty_sqlite import faulty_sqlite

    engines: dict[str, Callable[[Path], AbstractContextManager[Target]]] = {
        "sqlite": faulty_sqlite,
        "postgres": faulty_postgres,
    }
    parser = argparse.ArgumentParser(description="Put a fault into every call of the driver.")
    parser.add_argument("engine", choices=tuple(engines))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, engines[given.engine](Path(folder)) as target:
        lines = matrix(target)
    print(table(lines))
    return int(any(one.wrong for one in lines))


if __name__ == "__main__":
    sys.exit(main())
