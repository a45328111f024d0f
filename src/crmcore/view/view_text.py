"""A customer view as lines of text.

Invariant: every value stands with where it comes from; what is not known is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore.values.moment import Moment, moment_date
from crmcore.values.text import clean

if TYPE_CHECKING:
    from crmcore.view.customer_view import CustomerView, ViewField, ViewRelationship

_LABEL = 11
_VALUE = 40
_SHOWN = 12


def view_text(view: CustomerView) -> str:
    """The whole view."""
    records = f"{len(view.members)} record{'s' if len(view.members) != 1 else ''}"
    sources = f"{len(view.sources)} source{'s' if len(view.sources) != 1 else ''}"
    lines = [f"{_flat(view.name):<{_LABEL + _VALUE}} {records}, {sources}"]
    lines += [_line(field.field, field.text, reason(field)) for field in view.fields if not is_extra(field)]
    lines += [
        _line(_RELATION.get(r.label, r.label), r.other_name, held(r)) for r in view.relationships[:_SHOWN]
    ]
    if len(view.relationships) > _SHOWN:
        lines.append(_line("", f"and {len(view.relationships) - _SHOWN} more", ""))
    lines.append(_line("contacts", contacts(view), ""))
    lines += [_line("" if number else "consent", act, "") for number, act in enumerate(view.consent[:_SHOWN])]
    if len(view.consent) > _SHOWN:
        lines.append(_line("", f"and {len(view.consent) - _SHOWN} more", ""))
    extras = [field.field.partition(":")[2] for field in view.fields if is_extra(field)]
    if extras:
        lines.append(_line("also kept", ", ".join(extras), ""))
    lines += [f"  ! {conflict}" for conflict in view.conflicts]
    if view.unknown_fields:
        lines.append(_line("unknown", ", ".join(view.unknown_fields), ""))
    return "\n".join(lines)


_RELATION = {
    "works for": "employer",
    "lives in": "household",
    "reports to": "manager",
    "belongs to": "parent",
}


def is_extra(field: ViewField) -> bool:
    """Whether it is a field of the application's own or an unknown column: kept whole, named in the text only."""
    return field.field.startswith("extra:")


def _line(label: str, value: str, note: str) -> str:
    return f"  {label:<{_LABEL}}{_flat(value):<{_VALUE}} {note}".rstrip()


def _flat(text: str) -> str:
    """On one line, and without characters that make a terminal or a reader see something else."""
    return ", ".join(line for line in map(clean, text.splitlines()) if line)


def reason(field: ViewField) -> str:
    """Why this value: who agrees, which rule, and what lost."""
    if field.of > 1 and field.agree == field.of:
        said = f"all {field.of} agree"
    elif field.of > 1:
        said = f"{field.agree} of {field.of} agree, {field.rule}"
    else:
        said = ""
    if field.of > 1 and field.rule == "most recent" and field.observed_at is not None:
        said = f"most recent ({moment_date(field.observed_at).year})"
    if field.source is not None and field.of == 1:
        said = f"from {field.source.system}"
    before = ", ".join(dict.fromkeys(_flat(other.text) for other in field.others[:3]))
    more = len(field.others) - 3
    lost = f"; else: {before}" + (f" and {more} more" if more > 0 else "") if before else ""
    return said + lost


def held(relationship: ViewRelationship) -> str:
    """When a relationship held, as far as is known."""
    since, until = relationship.since, relationship.until
    if since is not None:
        return f"{_year(since)}-{_year(until)}" if until is not None else f"since {_year(since)}"
    if until is not None:
        return f"until {_year(until)}"
    first, last = relationship.seen_first, relationship.seen_last
    if first is None or last is None:
        return ""
    return f"seen {_year(first)}" if _year(first) == _year(last) else f"seen {_year(first)}-{_year(last)}"


def contacts(view: CustomerView) -> str:
    """How many interactions, first and last."""
    timeline = view.timeline
    if timeline.count == 0 or timeline.first is None or timeline.last is None:
        return "none recorded"
    kinds = {interaction.kind for interaction in timeline.recent}
    noun = "contact" if len(kinds) != 1 or kinds == {"other"} else kinds.pop()
    first, last = moment_date(timeline.first).isoformat(), moment_date(timeline.last).isoformat()
    if timeline.count == 1:
        return f"1 {noun}, {first}"
    more = "+" if timeline.more else ""
    return f"{timeline.count}{more} {noun}s, first {first}, last {last}"


def _year(moment: Moment | None) -> str:
    return "" if moment is None else f"{moment_date(moment).year:04d}"
