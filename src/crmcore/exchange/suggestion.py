"""What each column of a file probably is, by its name and by all its values, with the reason.

Invariant: a suggestion is only that. Those that are sure are used unless somebody says otherwise; the others
wait to be told. A column whose values contradict its name is never used by itself, and no column is left out of
the file's records.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.exchange.detect import Look
from crmcore.exchange.fields import FIELDS, READY, ROW_ID, TRUTH, Holds
from crmcore.exchange.headers import address_group_of, field_of, is_id, speaks_of_consent, squeezed
from crmcore.exchange.profile import ColumnProfile, Profile
from crmcore.values.personal import Document

Certainty = Literal["sure", "ask", "denied"]
Topic = Literal["", "truth", "consent", "contradicted", "id", "rival", "order"]

CREATES = frozenset({"employer", "contact_date"})
"""Fields that make further records (an organization, an interaction): asked about unless the column says it exactly."""

_ADDRESS = frozenset({"street_no", "street", "city", "postcode", "region", "country"})
_CALLED: dict[Look, str] = {
    "email": "e-mails", "url": "web addresses", "yes_no": "yes/no", "date": "dates", "phone": "phone numbers",
    "organization": "organizations", "person": "names of people", "number": "numbers", "digits": "numbers",
}  # fmt: skip
_EXPECTED: dict[Holds, tuple[Look, ...]] = {
    "email": ("email",),
    "phone": ("phone", "digits", "number"),
    "date": ("date", "digits", "number", "code"),
    "url": ("url", "code"),
}
_ENOUGH = 10
"""Cells of which hardly any has the right form before a column's name is doubted for that alone."""

_STRONG: tuple[Look, ...] = ("email", "url", "yes_no", "date")


@attrs.frozen(kw_only=True)
class Suggestion(Document):
    """What *column* probably is. *field* is None where it should not be mapped; *topic* says why, for programs."""

    column: str
    field: str | None = None
    certainty: Certainty
    reason: str
    topic: Topic = ""

    @property
    def line(self) -> str:
        """As it is printed: ``?`` for a question, ``!`` for a refusal."""
        return (
            f"{'!' if self.certainty == 'denied' else '?' if self.certainty == 'ask' else '='} {self.reason}"
        )


def suggest(
    profile: Profile, *, kind: str | None = None, reserved: frozenset[str] = frozenset()
) -> tuple[Suggestion, ...]:
    """Suggestions for the columns of a profile, in their order; a column without one is kept as it is.

    *kind* is what the rows are, ``"person"`` or ``"organization"``, where that was said. *reserved* columns
    serve another purpose (source, record id) and are left alone.

    >>> from crmcore.exchange.reading import Row
    >>> from crmcore.exchange.profile import profiled
    >>> rows = [Row(number=2, line=2, cells=("08/31/13", "Sony Corporation"), raw="")]
    >>> for suggestion in suggest(profiled(("Email Address", "Employer"), rows)): print(suggestion.line)
    ! "Email Address" holds dates (1 of 1): not mapped
    ? "Employer" looks like organizations: employment
    """
    columns = [column for column in profile.columns if column.column not in reserved]
    found: dict[str, Suggestion] = {}
    for column in columns:
        suggestion = _by_name(column, profile, kind)
        if suggestion is not None:
            found[column.column] = suggestion
    _settle_rivals(found, columns)
    _by_values(found, columns, kind)
    ids = [column for column in columns if _numbers_rows(column, profile)]
    if ids and not any(s.topic == "id" for s in found.values()) and not _has_id(profile, reserved):
        first = next((column for column in ids if is_id(column.column)), ids[0])
        if first.column not in found:
            reason = f'"{first.column}" is different in every row: use it as the id with --id-column'
            found[first.column] = Suggestion(column=first.column, certainty="ask", reason=reason, topic="id")
    return tuple(found[column.column] for column in columns if column.column in found)


def _by_name(column: ColumnProfile, profile: Profile, kind: str | None) -> Suggestion | None:
    """What the name of a column says, if its values agree."""
    name = column.column
    if squeezed(name) in TRUTH:
        return Suggestion(column=name, certainty="denied", reason=f'"{name}" not used', topic="truth")
    if squeezed(name) == ROW_ID:
        if not column.unique or column.filled < profile.rows:
            return None
        return Suggestion(column=name, certainty="sure", reason=f'"{name}" is the record id', topic="id")
    exact = name if name in READY else None
    if exact is None and speaks_of_consent(name):
        reason = (
            f'"{name}" speaks of consent: not mapped, kept; consent is imported on its own, with its evidence'
        )
        return Suggestion(column=name, certainty="denied", reason=reason, topic="consent")
    field = exact or _field_by_name(column, kind)
    if field is None or (column.filled == 0 and field in CREATES and exact is None):
        return None
    contradiction = _contradiction(column, FIELDS[field].holds) if column.filled else None
    if contradiction:
        return Suggestion(column=name, certainty="denied", reason=contradiction, topic="contradicted")
    if field in CREATES and exact is None:
        return Suggestion(column=name, field=field, certainty="ask", reason=_creates(name, field))
    return Suggestion(column=name, field=field, certainty="sure", reason=f'"{name}" is {field}')


def _field_by_name(column: ColumnProfile, kind: str | None) -> str | None:
    field = field_of(column.column)
    organizations = column.count("organization")
    if field == "full_name" and (
        kind == "organization" or (kind is None and organizations * 2 > column.filled)
    ):
        return "org_name"
    if field == "org_name" and kind == "person":
        return "employer"
    if field is None and squeezed(column.column) == "title":
        return "occupation" if column.filled and column.words <= 4 * column.filled else None
    return field


def _contradiction(column: ColumnProfile, holds: Holds) -> str | None:
    """The sentence that says that the values are something else, or None."""
    filled, name = column.filled, column.column
    expected = _EXPECTED.get(holds, ())
    own = column.count(*expected) if expected else filled
    strong: list[Look] = [look for look in _STRONG if look not in expected]
    look = max(strong, key=lambda one: column.count(one))
    count = column.count(look)
    if count * 2 >= filled and (not expected or own < count or look == "yes_no"):
        return f'"{name}" holds {_CALLED[look]} ({count:,} of {filled:,}): not mapped'
    if filled >= _ENOUGH and own * 10 < filled and holds in ("email", "phone", "date"):
        what = {"email": "e-mails", "phone": "phone numbers", "date": "dates"}[holds]
        return f'"{name}" holds hardly any {what} ({own:,} of {filled:,}): not mapped'
    return None


def _creates(name: str, field: str) -> str:
    what = {"employer": "organizations: employment", "contact_date": "dates: interaction"}[field]
    return f'"{name}" looks like {what}'


def _settle_rivals(found: dict[str, Suggestion], columns: list[ColumnProfile]) -> None:
    """One column for each field that takes one; of several addresses in a row the best filled one, as a whole."""
    filled = {column.column: column.filled for column in columns}
    groups: dict[str, int] = {}
    for name, suggestion in found.items():
        if suggestion.field in _ADDRESS:
            groups[address_group_of(name)] = groups.get(address_group_of(name), 0) + filled[name]
    main = max(groups, key=lambda group: groups[group], default="")
    taken: dict[str, str] = {}
    order = sorted(
        found,
        key=lambda name: (not filled[name], found[name].field in _ADDRESS and address_group_of(name) != main),
    )
    for name in order:
        suggestion = found[name]
        field = suggestion.field
        if field is None or FIELDS[field].many:
            continue
        foreign = field in _ADDRESS and address_group_of(name) != main
        if field not in taken and not (foreign and address_group_of(name)):
            taken[field] = name
            continue
        winner = taken.get(field)
        instead = f', "{winner}" is used' if winner else ""
        reason = f'"{name}" could be {field} too{instead}: kept'
        found[name] = Suggestion(column=name, field=None, certainty="ask", reason=reason, topic="rival")


def _by_values(found: dict[str, Suggestion], columns: list[ColumnProfile], kind: str | None) -> None:
    """What the values of the columns say whose names say nothing."""
    have = {suggestion.field for suggestion in found.values()}
    named = not have.isdisjoint({"full_name", "family_name", "given_name", "org_name"})
    for column in columns:
        name, filled = column.column, column.filled
        if filled == 0 or name in found:
            continue
        made: tuple[str, str] | None = None
        if (count := column.count("email")) * 10 >= filled * 8:
            made = "email", f'"{name}" holds e-mails ({count:,} of {filled:,})'
        elif (count := column.count("url")) * 10 >= filled * 8:
            made = "website", f'"{name}" holds web addresses ({count:,} of {filled:,})'
        elif (count := column.count("phone")) * 10 >= filled * 8:
            made = "phone", f'"{name}" holds phone numbers ({count:,} of {filled:,})'
        elif column.count("date") * 10 >= filled * 9 and "contact_date" not in have:
            made = "contact_date", _creates(name, "contact_date")
        elif (count := column.count("organization")) * 10 >= filled * 6 and kind != "organization" and named:
            made = ("employer", _creates(name, "employer")) if "employer" not in have else None
        elif not named and (count := column.count("person", "organization")) * 10 >= filled * 3:
            organization = kind == "organization" or column.count("organization") * 2 > count
            field = "org_name" if organization else "full_name"
            made = field, f'"{name}" looks like names ({count:,} of {filled:,} surely)'
            named = True
        if made is not None:
            have.add(made[0])
            found[name] = Suggestion(column=name, field=made[0], certainty="ask", reason=made[1])


def _numbers_rows(column: ColumnProfile, profile: Profile) -> bool:
    """Whether a column could be the record id: filled and different in every row, and made of codes."""
    codes = column.count("code", "number", "digits")
    return column.unique and column.filled == profile.rows > 1 and codes == column.filled


def _has_id(profile: Profile, reserved: frozenset[str]) -> bool:
    return any(
        column.unique and column.filled == profile.rows
        for column in profile.columns
        if column.column in reserved
    )
