"""What decides on the records of a file: a model that is learned from them or was saved before, or rules.

Invariant: a model is learned once; records are compared while it is, and not again. What was asked for and does not
hold, such as a threshold where rules decide, is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import attrs

from crmcore.errors import InvalidModel, SchemaMismatch
from crmcore.identity.engine import chosen, counting_by
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match
from crmcore.identity.model.counting import Counting
from crmcore.identity.model.learning import Count, Learned, Matcher, used_columns
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.policy import UNIT, Policy
from crmcore.identity.model.scoring import LearnedMatcher, Scorer
from crmcore.identity.population import Population
from crmcore.identity.rules import RuleMatcher

Progress = Callable[[int, int], None]


@attrs.frozen(kw_only=True)
class _Known(Matcher):
    """A matcher that has learned already, from the very records that it is given."""

    learned: Learned

    def learn(
        self, records: Sequence[Features], *, on_progress: Progress | None = None, counting: Count = Counting
    ) -> Learned:
        return self.learned


@attrs.frozen(kw_only=True)
class Deciding:
    """A *model*, with what was *learned* if it is new, or None where rules decide; and *notes* on it."""

    model: MatchModel | None
    learned: Learned | None = None
    notes: tuple[str, ...] = ()

    @property
    def matcher(self) -> Matcher | LearnedMatcher:
        """What `crmcore.identity.dedupe` takes."""
        if self.learned is not None:
            return _Known(learned=attrs.evolve(self.learned, model=self.model))
        return self.at_work

    @property
    def at_work(self) -> LearnedMatcher:
        """The model at work.

        Raises:
            InvalidModel: if there is none.
        """
        if self.model is None:
            raise InvalidModel("there is no model: rules decide")
        return LearnedMatcher(model=self.model)

    @property
    def policy(self) -> Policy:
        return Policy() if self.model is None else self.model.policy

    def at(self, threshold: int) -> Deciding:
        """The same with another threshold; rules have none, and that is noted."""
        if self.model is None:
            note = "the threshold was not used: only a learned model has one, and rules decided"
            return attrs.evolve(self, notes=(*self.notes, note))
        policy = attrs.evolve(self.model.policy, threshold=threshold)
        return attrs.evolve(self, model=attrs.evolve(self.model, policy=policy))


def decide(
    records: Sequence[Features], *, model: Path | None, threshold: int | None, on_progress: Progress
) -> Deciding:
    """Learn from *records*, or take the *model* of a file.

    Raises:
        UnreadableFile: if there is no such file.
        SchemaMismatch: if a newer crmcore wrote it.
        InvalidModel: if it is no model, or none for these records.
    """
    if model is None:
        learned = Matcher().learn(records, on_progress=on_progress, counting=counting_by(chosen()))
        found = Deciding(model=learned.model, learned=learned)
    else:
        found = _saved(model, records)
    return found if threshold is None else found.at(threshold)


def _saved(path: Path, records: Sequence[Features]) -> Deciding:
    model = saved_model(path)
    return fitting(path, model, [column.name for column in used_columns(records)])


def saved_model(path: Path) -> MatchModel:
    """The model of a file.

    Raises:
        UnreadableFile: if there is no such file.
        SchemaMismatch: if a newer crmcore wrote it.
        InvalidModel: if it is no model, or one with columns that are not known.
    """
    try:
        model = MatchModel.load(path)
    except (InvalidModel, SchemaMismatch) as error:
        raise type(error)(f"{path.name}: {error}") from None
    try:
        LearnedMatcher(model=model)
    except InvalidModel:
        raise InvalidModel(
            f"{path.name} has columns, or levels of them, that are not known here: learn anew, or use it from Python "
            "with its columns"
        ) from None
    return model


def fitting(path: Path, model: MatchModel, here: Sequence[str]) -> Deciding:
    """A model that decides on records that have values in the columns *here*.

    Raises:
        InvalidModel: if it compares by none of them.
    """
    known = {column.name for column in model.columns}
    if known.isdisjoint(here):
        raise InvalidModel(
            f"{path.name} compares by {', '.join(sorted(known))}, and no two of these records have any of that: "
            "name the model of such records, or learn anew"
        )
    missing = [name for name in here if name not in known]
    note = f"{path.name} knows nothing of {', '.join(missing)}: not compared"
    return Deciding(model=model, notes=(note,) if missing else ())


class Pairs:
    """What decided, asked again about pairs of *records* at the *positions* given."""

    def __init__(self, deciding: Deciding, records: Sequence[Features], positions: Iterable[int]) -> None:
        self._records = records
        self._learned: LearnedMatcher | None = None
        if deciding.model is not None:
            self._learned = deciding.at_work
            asked = sorted(position for position in set(positions) if not records[position].empty)
            self._row = {position: row for row, position in enumerate(asked)}
            self._scorer = Scorer(deciding.model, self._learned.table([records[at] for at in asked]))
        else:
            self._rules = RuleMatcher()
            self._population = Population.of(dict.fromkeys(records))

    def comparable(self, a: int, b: int) -> bool:
        """Whether there is something to compare, and the two may be one kind of customer."""
        one, other = self._records[a], self._records[b]
        kinds = {one.kind, other.kind}
        return not (one.empty or other.empty) and (len(kinds) == 1 or "anonymous" in kinds)

    def match(self, a: int, b: int) -> Match:
        """The match of two records, with its reasons."""
        one, other = self._records[a], self._records[b]
        if one.empty or other.empty:
            return Match("different", 0)
        if self._learned is None:
            return self._rules.compare(one, other, self._population)
        if not self.comparable(a, b):
            return self._learned.compare(one, other)
        return self._learned.match(self._scorer, self._row[a], self._row[b])


def said_bits(units: int) -> str:
    """Units of 2^-16 bit as bits for people.

    >>> said_bits(3 * UNIT + UNIT // 2)
    '3.50 bits'
    """
    return f"{units / UNIT:.2f} bits"
