"""Running the checks over a store, one after another, each over stores of its own.

Invariant: every check that is registered ends in a verdict, whatever it raises; nothing is skipped.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import attrs

from crmcore.errors import MissingExtra, StoreError
from crmcore.storage import Description, claims
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import CANARIES, Broken, Guarantee, Inconclusive, NotAsked, Unusable, placed
from crmcore.testing.promises import LEVELS, asked_for
from crmcore.testing.subjects import Given, Opened, Placed, examine
from crmcore.testing.verdicts import Report, Status, Verdict
from crmcore.values.frozen_map import FrozenMap

Progress = Callable[[str, int, int], None]

DEADLINES = {"quick": 300.0, "full": 1800.0, "soak": 3600.0}
"""Seconds after which a check that has not ended fails; of a soak so many on top of its minutes."""
BUDGETS = ("quick", "full", "soak")


@attrs.frozen(kw_only=True)
class Harness:
    """How the kit gets at a store.

    *make* gives a fresh, empty store at a folder that is there and empty; *reopen* opens what is there again. *older*,
    *newer* and *damaged* put into a folder a store of an older schema, one of a newer schema, and one that was damaged
    behind its back, for *reopen* to open; *older* returns the records that it put there, a mapping of refs to bodies.
    *files* are the files of a folder that the store writes; without it, all. Each may be a coroutine function, and a
    store may be of either colour.
    """

    make: Callable[[Path], Given]
    reopen: Callable[[Path], Given] | None = None
    level: str = "L1"
    older: Callable[[Path], object] | None = None
    newer: Callable[[Path], object] | None = None
    damaged: Callable[[Path], object] | None = None
    files: Callable[[Path], Iterable[Path]] | None = None

    def __attrs_post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"the levels are {', '.join(LEVELS)}")

    def subject(
        self,
        folder: Path,
        *,
        budget: str = "quick",
        minutes: float = 60.0,
        seed: int = 0,
        brief: bool = False,
    ) -> Placed:
        """Stores in sub-folders of *folder*, as a check asks for them; what the others are says `run_kit`.

        Raises:
            ValueError: if there is no such *budget*.
        """
        if budget not in BUDGETS:
            raise ValueError(f"the budgets are {', '.join(BUDGETS)}")
        subject = Placed(
            folder,
            self.make,
            self.reopen,
            older=self.older,
            newer=self.newer,
            damaged=self.damaged,
            files=self.files,
            budget=budget,
            minutes=minutes,
            seed=seed,
        )
        subject.brief = brief
        return subject


def problems_of(description: Description, *, level: str, reopen: bool) -> tuple[str, ...]:
    """Why a store that says this of itself is not of *level*."""
    found = [f"{level} asks for {part}" for part in asked_for(level) if not claims(description, part)]
    keeps = description.durability != "none"
    if level >= "L3" and not keeps:
        found.append(
            f"{level} asks for a store that keeps what it acknowledged, and this one says that it does not"
        )
    if keeps and not reopen:
        found.append(
            f"the store says that it keeps what it acknowledged ({description.durability}): give reopen=..."
        )
    return tuple(found)


def judge(guarantee: Guarantee, subject: Opened, *, deadline: float | None = None) -> Verdict:
    """Run one check and say what it found, whatever it ends with.

    One that has not ended after *deadline* seconds fails: its thread is left behind, since nothing can stop it.
    """
    began = time.monotonic()
    found: list[tuple[Status, str, str]] = []
    if deadline is None:
        deadline = DEADLINES[subject.budget] + (subject.minutes * 60 if subject.budget == "soak" else 0)
    work = threading.Thread(target=lambda: found.append(_found(guarantee, subject)), daemon=True)
    with (
        listening() as heard
    ):  # here, so that a thread that is left behind never sets back what a later check has set
        work.start()
        work.join(deadline)
    status, message, raised = (
        found[0] if found else ("FAIL", f"a call has not come back after {deadline:g} seconds", "")
    )
    leaked = sum(any(canary in text for canary in CANARIES) for text in heard)
    if leaked and status != "FAIL":
        status, message, raised = (
            "FAIL",
            f"{leaked} lines that were printed, logged or warned with show what is stored",
            "",
        )
    return Verdict(
        check=guarantee.name,
        guarantee=guarantee.id,
        status=status,
        message=message,
        raised=raised,
        seconds=time.monotonic() - began,
        seen=FrozenMap(subject.seen),
    )


def _found(guarantee: Guarantee, subject: Opened) -> tuple[Status, str, str]:
    try:
        reason = examine(guarantee, subject)
        return ("NOT CLAIMED", reason, "") if reason else ("PASS", "", "")
    except NotAsked as error:
        return "NOT ASKED", str(error), ""
    except (Inconclusive, MissingExtra) as error:
        return "INCONCLUSIVE", str(error), ""
    except Broken as error:
        return "FAIL", str(error), error.raised
    except StoreError as error:  # an answer of the store, where the check needed another one
        return "FAIL", placed(error), ""
    except Unusable as error:
        return "FAIL", str(error), "Unusable"
    except BaseException as error:  # also SystemExit: a store that ends the program has failed
        return "FAIL", placed(error), type(error).__name__


class _Overheard:
    """A stream that says what it is told to *heard* too."""

    def __init__(self, stream: TextIO, heard: list[str]) -> None:
        self._stream, self._heard = stream, heard

    def write(self, text: str) -> int:
        self._heard.append(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Everything that is printed, logged at any level, or warned of meanwhile."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{record.getMessage()} {record.exc_text or record.exc_info or ''}")

    root, ear = logging.getLogger(), Ear(level=logging.DEBUG)
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    out, err = (_Overheard(stream, heard) for stream in (sys.stdout, sys.stderr))
    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            warnings.simplefilter("always")
            yield heard
        heard += [str(one.message) for one in warned]
    finally:
        root.setLevel(level)
        root.removeHandler(ear)


def run_kit(
    harness: Harness,
    folder: Path,
    *,
    budget: str = "quick",
    minutes: float = 60.0,
    seed: int = 0,
    brief: bool = False,
    guarantees: Iterable[Guarantee] = GUARANTEES,
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Ask a store for everything that it claims. *folder* is empty, and what is made there stays.

    *budget* is how long chance looks for faults, *minutes* how long if that is ``soak``; *seed* is what it begins with.
    If *brief*, it looks for no longer than it must to say anything: at a store that is little more than one which was
    asked already.

    Raises:
        Unusable: if *make* gives a store that the kit must not write to.
    """
    began = time.monotonic()
    probe = harness.subject(folder / "probe")
    description = probe.probe()
    asked = list(guarantees)
    verdicts = []
    for number, guarantee in enumerate(asked):
        progress(f"{guarantee.id} {guarantee.name.replace('_', ' ')}", number, len(asked))
        subject = harness.subject(
            folder / guarantee.name, budget=budget, minutes=minutes, seed=seed, brief=brief
        )
        verdicts.append(judge(guarantee, subject))
    return Report(
        engine=description.engine,
        level=harness.level,
        budget=budget,
        seed=seed,
        seconds=time.monotonic() - began,
        verdicts=tuple(verdicts),
        problems=problems_of(description, level=harness.level, reopen=harness.reopen is not None),
        claimed=tuple(one.name for one in description.capabilities if claims(description, one.name)),
    )
