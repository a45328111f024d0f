"""`Matcher`: what is to be compared and how to decide, before anything is learned; learning makes a model of it.

Invariant: learning needs no labels and either gives a model that stands its tests, or refuses with a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from crmcore.errors import InvalidModel
from crmcore.identity.features import Features
from crmcore.identity.model.certificates import Certificate, certify
from crmcore.identity.model.columns import COLUMNS, Column
from crmcore.identity.model.counting import Counting
from crmcore.identity.model.encoding import Table, encode
from crmcore.identity.model.evidence import Evidence
from crmcore.identity.model.freezing import freeze, words_of
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.patterns import BITS
from crmcore.identity.model.policy import USUAL_RULES, Policy
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model.training import RECORDS, Training, train

MOST_COLUMNS = 62 // BITS - 1
"""A pattern with the levels of all columns and the order of the names is a whole number of 64 bits."""

Progress = Callable[[int, int], None]

Count = Callable[[Table, Sequence[int], int | None, Progress | None], Evidence]
"""Makes evidence of a table: how often each record was given, how many pairs may be compared, whom to tell."""

FIELDS: dict[str, tuple[str, ...]] = {
    "given_name": ("given name", "generation"),
    "family_name": ("family name", "generation"),
    "full_name": ("given name", "family name", "generation"),
    "birth_date": ("birth date",),
    "email": ("e-mail",),
    "phone": ("phone",),
    "street_no": ("street",),
    "street": ("street",),
    "postcode": ("postcode",),
    "city": ("city",),
    "region": ("region",),
    "country": ("country",),
    "national_id": ("identifier",),
    "occupation": ("occupation",),
    "org_name": ("organization name",),
    "employer": ("employer",),
}
"""The columns that each field of a row is compared by."""


@attrs.frozen(kw_only=True)
class Learned:
    """The outcome of learning: a *model*, or None and the reason in the *certificates* that failed.

    *note* says why related customers are not told apart as a class of their own, where they are not. *row_of* says
    where in the *training* each record stands.
    """

    model: MatchModel | None
    certificates: tuple[Certificate, ...]
    note: str = ""
    columns: tuple[Column, ...] = COLUMNS
    training: Training | None = attrs.field(default=None, repr=False, eq=False)
    row_of: Mapping[Features, int] = attrs.field(factory=dict[Features, int], repr=False, eq=False)

    @property
    def matcher(self) -> LearnedMatcher:
        """The model at work.

        Raises:
            InvalidModel: if nothing could be learned, with the reason.
        """
        if self.model is None:
            raise InvalidModel(f"nothing was learned: {self.refusal}")
        return LearnedMatcher(model=self.model, columns=self.columns)

    @property
    def refusal(self) -> str:
        """Why there is no model; empty if there is one."""
        return (
            "; ".join(one.said for one in self.certificates if not one.passed) if self.model is None else ""
        )

    def text(self) -> str:
        """What was tested and found, a line each."""
        lines = [f"{'ok' if one.passed else 'no'}  {one.name}: {one.said}" for one in self.certificates]
        return "\n".join([*lines, *([f"    {self.note}"] if self.note else [])])


@attrs.frozen(kw_only=True)
class Matcher:
    """A matcher that learns from the records it is given.

    *columns* are compared where records have values in them. *budget* is how many pairs may be compared; by default it
    grows with the number of records.

    >>> Matcher.for_fields("birth_date", "email").columns
    (Column('birth date', 6 levels), Column('e-mail', 5 levels))
    """

    columns: tuple[Column, ...] = COLUMNS
    policy: Policy = Policy()
    budget: int | None = None

    def __attrs_post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(names) > MOST_COLUMNS:
            raise InvalidModel(f"at most {MOST_COLUMNS} columns are compared at once: leave out some")
        if len(set(names)) < len(names):
            raise InvalidModel("two columns have one name: name each differently")
        standard = {column.name: column.group for column in COLUMNS}
        own = [column for column in self.columns if column.source is not None]
        for column in self.columns:
            if column.source is None and standard.get(column.name) != column.group:
                raise InvalidModel(f"the column {column.name!r} has no values: give it a source=")
        groups = [column.group for column in own]
        if len(set(groups)) < len(groups) or not set(groups).isdisjoint(standard.values()):
            raise InvalidModel(
                "each column with a source= of its own has a group of its own: name it differently"
            )
        self.policy.check({column.name: column.top for column in (*COLUMNS, *self.columns)})

    @classmethod
    def for_fields(
        cls,
        *fields: str,
        without: Iterable[str] = (),
        more: Iterable[Column] = (),
        policy: Policy | None = None,
        budget: int | None = None,
    ) -> Matcher:
        """A matcher for rows with these *fields* (by default all that crmcore compares), but *without* some of them.

        What must not be used to link people, such as a health insurance number, is left out by *without*. *more* are
        columns of your own.

        Raises:
            InvalidModel: if a field is not one that is compared.
        """
        chosen, left_out = list(fields or FIELDS), set(without)
        for field in (*chosen, *left_out):
            if field not in FIELDS:
                raise InvalidModel(f"{field!r} is not compared: choose from {', '.join(FIELDS)}")
        # A column goes with any field left out: the full name must not bring a given name back in.
        barred = {name for field in left_out for name in FIELDS[field]}
        names = {name for field in chosen for name in FIELDS[field]} - barred
        columns = tuple(column for column in COLUMNS if column.name in names)
        return cls(columns=(*columns, *more), policy=policy or Policy(), budget=budget)

    @property
    def working_policy(self) -> Policy:
        """The policy without the usual rules that speak of a column which is another one here."""
        labels = {column.name: column.labels for column in COLUMNS}
        other = {column.name for column in self.columns if labels.get(column.name, ()) != column.labels}
        rules = self.policy.rules
        return attrs.evolve(
            self.policy,
            rules=tuple(rule for rule in rules if rule not in USUAL_RULES or other.isdisjoint(rule.where)),
        )

    def learn(
        self,
        records: Sequence[Features],
        *,
        on_progress: Progress | None = None,
        counting: Count = Counting,
    ) -> Learned:
        """Learn what each level of agreement is worth from *records*, in whatever order they come.

        *counting* makes the evidence of them; whichever does, what is learned is the same.

        >>> Matcher().learn([]).refusal
        'learning takes at least 10 different records: given 0'
        """
        copies = Counter(record for record in records if not record.empty)
        columns = used_columns(copies, self.columns)
        table, where = encode(list(copies), columns).distinct()
        early = certify(None, len(table.rows), columns)
        if early:
            return Learned(model=None, certificates=early, columns=self.columns)
        given = [0] * len(table.rows)
        for times, row in zip(copies.values(), where, strict=True):
            if row >= 0:
                given[row] += times
        # What was copied a thousand times says no more of others than what was copied a few times.
        evidence = counting(table, [min(times, RECORDS) for times in given], self.budget, on_progress)
        kinds = Counter[str]()
        for kind, times in zip(table.kinds, given, strict=True):
            kinds[kind] += times
        training = train(evidence, organizations=2 * kinds["organization"] > kinds.total())
        certificates = certify(training, len(table.rows), columns)
        model = None
        if all(one.passed for one in certificates):
            model = freeze(training, words_of(table.valued), self.working_policy, kinds)
        return Learned(
            model=model,
            certificates=certificates,
            note=training.note,
            columns=self.columns,
            training=training,
            row_of=dict(zip(copies, where, strict=True)),
        )


def used_columns(records: Iterable[Features], columns: Sequence[Column] = COLUMNS) -> tuple[Column, ...]:
    """The columns in which at least two different records have a value."""
    table, _ = encode(list(records), columns).distinct()
    counts = [0] * len(columns)
    for row in table.rows:
        for at, code in enumerate(row):
            counts[at] += code > 0
    return tuple(column for column, count in zip(columns, counts, strict=True) if count > 1)
