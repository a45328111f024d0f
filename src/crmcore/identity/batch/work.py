"""The long steps of a run: done in portions that fit, and kept where there is a checkpoint.

Invariant: neither portions nor a checkpoint change a result. A step that was kept gives what it gave when it was done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from crmcore.errors import CrmError
from crmcore.identity.batch.blocking import Blocked
from crmcore.identity.batch.checkpoint import Checkpoint
from crmcore.identity.batch.kept_candidates import arrays_of_candidates, candidates_of
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.batch.texts import THREADS, Ints, Longs
from crmcore.identity.model.certificates import Certificate
from crmcore.identity.model.learning import Learned, Matcher
from crmcore.identity.model.match_model import MatchModel

PORTION = 1 << 19
"""So many pairs are compared before they are kept: some seconds of work."""

_LEAST, _USUAL, _MOST = 1 << 13, 1 << 17, 1 << 20
_PAIR = 200 * (THREADS + 2)
"""Bytes that a pair takes while it is compared, several columns at once."""

Progress = Callable[[int, int], None]


class Patterned(Protocol):
    """What works out the patterns of pairs."""

    def patterns(self, a: Ints, b: Ints, on_done: Callable[[int], None] | None = None) -> Longs: ...


class Work:
    """The steps of one run, with a *checkpoint* or without, in so much *room*."""

    def __init__(self, checkpoint: Checkpoint | None = None, room: Room | None = None) -> None:
        self.checkpoint = checkpoint
        self.room = Room() if room is None else room

    @property
    def resumed(self) -> bool:
        """Whether anything was taken over from a checkpoint."""
        return self.checkpoint is not None and self.checkpoint.resumed

    @property
    def notes(self) -> list[str]:
        """What a person should know of the checkpoint."""
        return [] if self.checkpoint is None else self.checkpoint.notes

    def candidates(self, find: Callable[[Room], Blocked]) -> Blocked:
        """The pairs that are to be compared."""
        known = None if self.checkpoint is None else self.checkpoint.get("candidates")
        if known is not None:
            return candidates_of(known.arrays)
        found = find(self.room)
        if self.checkpoint is not None:
            self.checkpoint.put("candidates", arrays_of_candidates(found))
        return found

    def patterns(self, grader: Patterned, a: Ints, b: Ints, on_progress: Progress | None) -> Longs:
        """The patterns of all pairs."""
        count = len(a)
        self.room.need("comparing", count * 8)
        if self.checkpoint is None and self.room.limit is None:
            return grader.patterns(a, b, on_progress and (lambda done: on_progress(done, count)))
        found = np.empty(count, dtype=np.int64)
        for part, patterns in self.portions(grader, a, b, on_progress):
            found[part] = patterns
        return found

    def portions(
        self, grader: Patterned, a: Ints, b: Ints, on_progress: Progress | None
    ) -> Iterator[tuple[slice, Longs]]:
        """The patterns of pairs, stretch by stretch."""
        count = len(a)
        size = _MOST if self.checkpoint is None else PORTION
        for number, start in enumerate(range(0, count, size)):
            part = slice(start, min(start + size, count))
            name = f"patterns-{number:06}"
            patterns = self._kept(name, part.stop - start)
            if patterns is None:
                patterns = self._graded(grader, a[part], b[part], start, count, on_progress)
                if self.checkpoint is not None:
                    self.checkpoint.put(name, {"patterns": patterns})
            # Only now: what was told to be done is kept.
            if on_progress is not None:
                on_progress(part.stop, count)
            yield part, patterns

    def _kept(self, name: str, count: int) -> Longs | None:
        part = None if self.checkpoint is None else self.checkpoint.get(name)
        patterns = None if part is None else part.arrays.get("patterns")
        return patterns if patterns is not None and len(patterns) == count else None

    def _graded(
        self, grader: Patterned, a: Ints, b: Ints, before: int, count: int, on_progress: Progress | None
    ) -> Longs:
        """The patterns of a stretch, in portions as large as there is room for; its end is told by others."""
        self.room.need("comparing", len(a) * 8 + min(len(a), _USUAL) * _PAIR)

        def told(done: int) -> None:
            if on_progress is not None and done < len(a) and self.checkpoint is None:
                on_progress(before + done, count)

        if self.room.limit is None:
            return grader.patterns(a, b, told)
        found = np.empty(len(a), dtype=np.int64)
        start = 0
        while start < len(a):
            stop = min(start + self.room.portion(_PAIR, _MOST, _LEAST), len(a))
            found[start:stop] = grader.patterns(a[start:stop], b[start:stop])
            self.room.check("comparing more")
            start = stop
            told(start)
        return found

    def learned(self, matcher: Matcher) -> Learned | None:
        """What was learned before the run was cut off."""
        part = None if self.checkpoint is None else self.checkpoint.get("learned")
        if part is None:
            return None
        try:
            said = json.loads(part.text)
            return Learned(
                model=None if said["model"] is None else MatchModel.from_text(said["model"]),
                certificates=tuple(Certificate(*one) for one in said["certificates"]),
                note=said["note"],
                columns=matcher.columns,
            )
        except (CrmError, ValueError, KeyError, TypeError):
            return None

    def keep(self, learned: Learned) -> None:
        """Keep what was learned."""
        if self.checkpoint is not None:
            said = {
                "model": None if learned.model is None else learned.model.to_text(),
                "certificates": [(one.name, one.passed, one.said) for one in learned.certificates],
                "note": learned.note,
            }
            self.checkpoint.put("learned", {}, json.dumps(said))
