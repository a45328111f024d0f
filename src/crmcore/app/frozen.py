"""What a store remembers of its deduplication: the frozen model, how far the feed was read, and the state of the index.

Invariant: a model is immutable and kept under its name, in parts that fit any store; the one record that says which
model decides is changed by compare-and-swap and never names a model that is not there whole.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import attrs

from crmcore.app.unit import Unit
from crmcore.errors import VersionConflict
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.quick_scoring import QuickScorer
from crmcore.serde import Codec
from crmcore.storage.protocol import Position, Record
from crmcore.values.ids import Id
from crmcore.values.personal import Document, personal

_PART = 50_000
"""Characters of a model in one record: 4 bytes each at most, and some room."""

_MANY = 8
_KEPT = 4


@attrs.frozen(kw_only=True)
class Matching(Document):
    """How the people of a store are matched.

    *model* is the name of the model that decides, "" for none, and *parts* how many records hold it; *recipe* is what
    the app asked to be learned. *position* is how far the feed was read, *records* how many there were when all were
    last compared, *cap* the size of the largest block then, and *near* whether values one typing error apart were
    looked for; *whole* is false if the last run left some out or judged by another model. *index* is the version of the
    keys that every party is known to have.
    """

    version: int = 0
    model: str = ""
    parts: int = 0
    recipe: str = ""
    position: Position = ""
    records: int = 0
    cap: int = 0
    near: bool = False
    whole: bool = True
    index: str = ""


@attrs.frozen(kw_only=True)
class ModelPart(Document):
    """A piece of the text of a model."""

    model: str
    text: str = personal()


MATCHING: Codec[Matching] = Codec(tag="matching", type=Matching)
MODEL_PART: Codec[ModelPart] = Codec(tag="match_model.part", type=ModelPart, versioned=False)
CODECS: tuple[Codec[Any], ...] = (MATCHING, MODEL_PART)


def fixed_id(*names: str) -> Id:
    """An id that follows from a name: of a record of which there is one."""
    digits = blake2b("\x1f".join(names).encode(), digest_size=16).hexdigest()
    return Id(f"00000000-0000-7{digits[:3]}-8{digits[3:6]}-{digits[6:18]}")


_STATE = fixed_id("matching")


class Kept:
    """The models that an app has at hand, ready to score: a cache of what never changes under its name."""

    def __init__(self) -> None:
        self._scorers: dict[str, QuickScorer | None] = {}
        self._state: tuple[Record, Matching] | None = None
        self._recipe: tuple[Matcher | MatchModel, str] | None = None

    def recipe(self, asked: Matcher | MatchModel) -> str:
        """`recipe_of` the app's settings, which are the same in all of its calls."""
        known = self._recipe
        if known is None or known[0] is not asked:
            known = self._recipe = asked, recipe_of(asked)
        return known[1]

    def state(self, record: Record) -> Matching:
        """The state in a record; the same record is read once."""
        known = self._state
        if known is not None and known[0] == record:
            return known[1]
        state: Matching = MATCHING.load({**record.body, "version": record.version}, record.schema)
        self._state = (record, state)
        return state

    def known(self, name: str) -> bool:
        """Whether it is known if this model can be used: reading it takes as long as many a query."""
        return name in self._scorers

    def get(self, name: str) -> QuickScorer | None:
        """A model that can be used."""
        return self._scorers.get(name)

    def put(self, name: str, scorer: QuickScorer | None) -> None:
        """Keep a model, or None for one that cannot be used here."""
        if len(self._scorers) >= _KEPT:
            self._scorers.clear()
        self._scorers[name] = scorer


def recipe_of(asked: Matcher | MatchModel) -> str:
    """What follows from the app's settings alone: a model that was learned of other ones is not used."""
    if isinstance(asked, MatchModel):
        return asked.name
    levels = [(column.name, column.labels) for column in asked.columns]
    text = repr((levels, asked.policy, asked.budget))
    return blake2b(text.encode(), digest_size=8).hexdigest()


async def load_state(unit: Unit, *, check: bool = False, kept: Kept | None = None) -> Matching:
    """The state of a tenant's matching; one that says nothing if there is none."""
    ref = unit.ref(MATCHING.tag, _STATE)
    record = (await unit.get([ref], check=check)).get(ref)
    if record is None:
        return Matching()
    return (kept or Kept()).state(record)


async def put_state(unit: Unit, state: Matching) -> None:
    """Write the state over the version that *state* was made from."""
    await unit.put(MATCHING, _STATE, state, expect=state.version)


async def save_model(new_unit: Any, write: Any, model: MatchModel) -> int:
    """Keep a model, in as many records as it takes; how many. Records that are there already are left alone."""
    text = model.to_text()
    pieces = [text[start : start + _PART] for start in range(0, len(text), _PART)]
    for start in range(0, len(pieces), _MANY // 2):
        unit: Unit = new_unit()
        for number in range(start, min(start + _MANY // 2, len(pieces))):
            id = fixed_id("part", model.name, str(number))
            ref = unit.ref(MODEL_PART.tag, id)
            if not await unit.get([ref], check=False):
                await unit.put(MODEL_PART, id, ModelPart(model=model.name, text=pieces[number]), expect=0)
        if not unit.empty:
            try:
                await write(unit)
            except VersionConflict:
                continue  # another process keeps the same model: equal parts are equal
    return len(pieces)


async def load_model(unit: Unit, name: str, parts: int) -> MatchModel | None:
    """A kept model; None if a part of it is missing."""
    refs = [unit.ref(MODEL_PART.tag, fixed_id("part", name, str(number))) for number in range(parts)]
    texts: list[str] = []
    for start in range(0, len(refs), _MANY):
        records = await unit.get(refs[start : start + _MANY], check=False)
        if len(records) < len(refs[start : start + _MANY]):
            return None
        for ref in refs[start : start + _MANY]:
            part: ModelPart = MODEL_PART.load(records[ref].body, records[ref].schema)
            texts.append(part.text)
    model = MatchModel.from_text("".join(texts))
    return model if model.name == name else None
