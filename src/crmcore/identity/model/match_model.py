"""A learned model as a value: what every level of every column is worth, in integers, and how to decide.

Invariant: immutable, without floats, named after its content. Values that several customers have, and words that
several organizations have in their names, stand there as hashes only; whoever guesses one can test the guess, so a
model is kept like the records. What a newer crmcore wrote is refused and never half read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import attrs

from crmcore.errors import InvalidDocument, InvalidModel, UnreadableFile
from crmcore.identity.model.policy import UNIT, Policy
from crmcore.serde import Codec
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.personal import Document

_MOST = (1 << 31) - 1

PARTS = 10**9
"""Shares are kept in parts per thousand million."""


@attrs.frozen(kw_only=True)
class ColumnWeights(Document):
    """What a column is worth, by level; level 0, a missing value, is worth nothing.

    *same* and *related* are worth in units of 2^-16 bit; *unseen* is what agreeing on a term of each kind adds that
    nobody else has. *share_same* and *share_other* say how often a level is seen in pairs of one customer and of
    strangers, in parts per 10^9.
    """

    name: str
    labels: tuple[str, ...]
    same: tuple[int, ...]
    related: tuple[int, ...] = ()
    unseen: FrozenMap[str, int] = FrozenMap()
    share_same: tuple[int, ...] = ()
    share_other: tuple[int, ...] = ()

    def label(self, level: int) -> str:
        """The name of a level."""
        return self.labels[level - 1] if level else "missing"


@attrs.frozen(kw_only=True)
class Together(Document):
    """Two columns that agree by accident together more often than each alone; *bits*, in units of 2^-16, are taken off
    where both agree."""

    a: str
    b: str
    bits: int


@attrs.frozen(kw_only=True, repr=False)
class MatchModel(Document):
    """What was learned of a set of records, or laid down by hand.

    *prior* is the score of two records of which nothing is known. *records*, *kinds* and *expected_same* say what
    it was learned from; of a record that was given many times, ten copies make pairs. *related_prior* is None for a
    model of two classes.
    """

    columns: tuple[ColumnWeights, ...]
    prior: int
    related_prior: int | None = None
    dependences: tuple[Together, ...] = ()
    terms: FrozenMap[str, int] = FrozenMap()
    words: FrozenMap[str, int] = FrozenMap()
    policy: Policy = Policy()
    records: int = 0
    kinds: tuple[str, ...] = ()
    expected_same: int = 0
    expected_related: int = 0

    def __attrs_post_init__(self) -> None:
        if not self.columns:
            raise InvalidModel("a model compares by at least one column: give its columns")
        names = {column.name for column in self.columns}
        if len(names) < len(self.columns):
            raise InvalidModel("a model has each column once: give the columns different names")
        for column in self.columns:
            sizes = {len(column.same), *(len(column.related or column.same),)}
            if sizes != {len(column.labels) + 1}:
                raise InvalidModel(
                    f"the column {column.name!r} has a weight for each level, and level 0 first"
                )
            if not {len(column.share_same), len(column.share_other)} <= {0, len(column.same)}:
                raise InvalidModel(
                    f"the column {column.name!r} has a share for each level, and level 0 first"
                )
            if column.same[0] or (column.related and column.related[0]):
                raise InvalidModel(
                    f"a missing value says nothing: the column {column.name!r} begins with a weight of 0"
                )
            if min((0, *column.share_same, *column.share_other)) < 0:
                raise InvalidModel(f"a share is not below 0: correct those of the column {column.name!r}")
        if any(both.a == both.b or not {both.a, both.b} <= names for both in self.dependences):
            raise InvalidModel(
                "two columns that agree together are columns of the model: correct the dependences"
            )
        if any(abs(number) > _MOST for number in self._numbers()):
            raise InvalidModel("weights are whole numbers of 32 bits: correct the model")

    def _numbers(self) -> Iterator[int]:
        yield self.prior
        yield self.related_prior or 0
        yield self.policy.threshold or 0
        yield from self.terms.values()
        yield from self.words.values()
        yield from (both.bits for both in self.dependences)
        for column in self.columns:
            yield from column.same
            yield from column.related
            yield from column.unseen.values()
            yield from column.share_same
            yield from column.share_other

    @cached_property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of the hash of the content."""
        # Terms may be hundreds of thousands: as plain lines they are hashed in no time.
        rest = attrs.evolve(self, terms=FrozenMap(), words=FrozenMap()).to_text()
        parts = (
            rest,
            *(
                "\n".join([f"{key} {known[key]}" for key in sorted(known)])
                for known in (self.terms, self.words)
            ),
        )
        return blake2b("\x1f".join(parts).encode(), digest_size=6).hexdigest()

    @property
    def name(self) -> str:
        """What a machine's judgement calls the model that made it."""
        return f"model/{self.digest}"

    def __repr__(self) -> str:
        return f"MatchModel({self.name!r}, {len(self.columns)} columns)"

    def _repr_html_(self) -> str:
        """Shown as a chart in a notebook."""
        from crmcore.identity.model.chart import model_chart

        return model_chart(self)

    def text(self) -> str:
        """The model for people to read: what each level of each column is worth, in bits."""
        from crmcore.identity.model.chart import model_text

        return model_text(self)

    def to_text(self) -> str:
        """The model as one line of JSON; equal models give equal lines."""
        document = {"tag": MATCH_MODEL.tag, "schema": MATCH_MODEL.schema, "body": MATCH_MODEL.dump(self)}
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> MatchModel:
        """The model of a text that `to_text` wrote.

        Raises:
            SchemaMismatch: if a newer crmcore wrote it.
            InvalidModel: if it is something else.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or document.get("tag") != MATCH_MODEL.tag:
            raise InvalidModel("this is not a matching model: give what MatchModel.save wrote")
        schema, body = document.get("schema"), document.get("body")
        if not isinstance(schema, int) or not isinstance(body, dict):
            raise InvalidModel("this matching model is damaged: it has no schema or no body")
        try:
            return MATCH_MODEL.load(body, schema)
        except InvalidDocument as error:
            raise InvalidModel(
                f"this matching model is damaged: something is wrong at {error.path}"
            ) from None

    def save(self, path: str | Path) -> None:
        """Write the model to a file.

        Raises:
            UnreadableFile: if the file cannot be written.
        """
        try:
            Path(path).write_text(self.to_text() + "\n", encoding="utf-8")
        except OSError as error:
            raise UnreadableFile(
                f"{Path(path).name} cannot be written ({error.strerror}): name another file"
            ) from None

    @classmethod
    def load(cls, path: str | Path) -> MatchModel:
        """Read a model from a file.

        Raises:
            UnreadableFile: if there is no such file, or it is no text.
            SchemaMismatch: if a newer crmcore wrote it.
            InvalidModel: if it is something else.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise UnreadableFile(
                f"{Path(path).name} cannot be read ({error.strerror}): name the model's file"
            ) from None
        except UnicodeDecodeError:
            raise InvalidModel("this is not a matching model: give what MatchModel.save wrote") from None
        return cls.from_text(text)

    def diff(self, other: MatchModel) -> tuple[str, ...]:
        """What is different in *other*, a line each: columns, weights by level in bits, kinds, policy, terms.

        >>> column = ColumnWeights(name="city", labels=("different", "same"), same=(0, -UNIT, 4 * UNIT))
        >>> one = MatchModel(columns=(column,), prior=-8 * UNIT)
        >>> one.diff(attrs.evolve(one, prior=-9 * UNIT))
        ('prior: -8.00 -> -9.00 bits',)
        """
        return tuple(_differences(self, other))


MATCH_MODEL: Codec[MatchModel] = Codec(tag="match_model", type=MatchModel)


def term_key(column: str, kind: str, term: str) -> str:
    """The hash under which a model keeps a term."""
    return blake2b("\x1f".join((column, kind, term)).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _differences(one: MatchModel, other: MatchModel) -> list[str]:
    lines: list[str] = []

    def changed(what: str, before: int, after: int) -> None:
        if before != after:
            lines.append(f"{what}: {before / UNIT:.2f} -> {after / UNIT:.2f} bits")

    changed("prior", one.prior, other.prior)
    changed("prior of related", one.related_prior or 0, other.related_prior or 0)
    before = {column.name: column for column in one.columns}
    after = {column.name: column for column in other.columns}
    lines += [f"{name}: no longer compared" for name in before if name not in after]
    lines += [f"{name}: compared now" for name in after if name not in before]
    for name in before:
        if name not in after:
            continue
        if before[name].labels != after[name].labels:
            lines.append(f"{name}: other levels")
            continue
        for label, x, y in zip(before[name].labels, before[name].same[1:], after[name].same[1:], strict=True):
            changed(f"{name}, {label}", x, y)
    pairs_before = {(d.a, d.b): d.bits for d in one.dependences}
    pairs_after = {(d.a, d.b): d.bits for d in other.dependences}
    for a, b in sorted(pairs_before.keys() | pairs_after.keys()):
        changed(f"{a} and {b} together", -pairs_before.get((a, b), 0), -pairs_after.get((a, b), 0))
    if one.kinds != other.kinds:
        lines.append(
            f"kinds of customer: {', '.join(one.kinds) or 'any'} -> {', '.join(other.kinds) or 'any'}"
        )
    if one.policy != other.policy:
        lines.append("policy: other costs, review or rules")
    terms = sum(one.terms.get(key) != other.terms.get(key) for key in one.terms.keys() | other.terms.keys())
    if terms:
        lines.append(f"terms: {terms:,} are worth something else")
    return lines
