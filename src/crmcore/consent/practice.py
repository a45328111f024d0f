"""What a company knows of itself, said once: facts that a question leaves open are filled in from it.

Invariant: what a question or an act says of itself stands; only what it leaves open is filled in, and the decision
names every fact that was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeVar

import attrs

from crmcore.consent.checking import listed, one_of
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts, PointFacts
from crmcore.consent.request import Message, Request
from crmcore.consent.speaking import MARKETING
from crmcore.consent.told import Told, replaced
from crmcore.consent.topics import Topics
from crmcore.errors import InvalidConsent

ControllerKind = Literal["business", "charity", "registered_charity", "nonprofit"]
Dialer = Literal["manual", "autodialer", "automated_selection", "prerecorded"]
Authentication = Literal["none", "spf_or_dkim", "dmarc"]
T = TypeVar("T")

_OF_REQUESTS = (
    "controller_kind",
    "exempt_seller",
    "dialer",
    "offered_to_children",
    "bulk_sender",
    "authentication",
    "complaints_high",
)
"""What a question has from the practice, where it leaves it open."""

_NO_FACTS = frozenset({"unknown", "notice", "version"})
"""Fields of a template that are no facts: by the last two a form is known."""


@attrs.frozen(kw_only=True)
class Form(Told):
    """A form on which people say yes, known by its *notice* and *version*: what is so of all who filled it in.

    The other fields are those of `Evidence`. An act whose evidence names the form has them, where it leaves them open.
    """

    notice: str
    version: str | None = None
    condition_of_contract: bool | None = None
    condition_of_purchase: bool | None = None
    disclosed: bool | None = None
    explicit: bool | None = None
    names_the_number: bool | None = None
    unambiguous: bool | None = None
    written: bool | None = None


def _forms(forms: Iterable[Form]) -> tuple[Form, ...]:
    found = listed(forms, Form, "the forms of a practice are several Form(...)")
    if len({(form.notice, form.version) for form in found}) < len(found):
        raise InvalidConsent(
            "two forms have the same notice and version: give each version a name of its own"
        )
    return found


@attrs.frozen(kw_only=True)
class Practice(Told):
    """What a company does always, and knows of itself.

    *marketing* says what is so of each of its messages for marketing, fundraising or politics; *forms* how people say
    yes to it; *point* what is so of each contact point that it uses, such as a *kind* "other" where it keeps no
    addresses at domains of mobile carriers. *offered_to_children* is whether its services are; *dialer* how it calls;
    *bulk_sender*, *authentication* and *complaints_high* say of its mail what they say in a `Request`. A *controller*
    that is named stands for the name of the company in acts and questions.

    *topics* are all that it writes about, or ever wrote: a No to one speaks of its sub-topics too, and an act about
    what is none of them is refused, whatever it says.

    >>> ours = Practice(offered_to_children=False, marketing=Message.marketing(unsubscribe=True))
    >>> from datetime import UTC, datetime
    >>> asked = Request(controller="acme", channel="email", purpose="marketing", at=datetime(2026, 5, 4, tzinfo=UTC))
    >>> filled, _, names = ours.fill(asked, Facts())
    >>> filled.message.unsubscribe, names
    (True, ('request.offered_to_children', 'message.promotion', 'message.unsubscribe', 'message.unsubscribe_burdened'))
    """

    controller: str | None = None
    controller_kind: ControllerKind | None = one_of(ControllerKind, "the kind of a controller", default=None)
    exempt_seller: bool | None = None
    offered_to_children: bool | None = None
    dialer: Dialer | None = one_of(Dialer, "a dialer", default=None)
    bulk_sender: bool | None = None
    authentication: Authentication | None = one_of(Authentication, "the authentication", default=None)
    complaints_high: bool | None = None
    marketing: Message = attrs.field(factory=Message)
    point: PointFacts = attrs.field(factory=PointFacts)
    forms: tuple[Form, ...] = attrs.field(default=(), converter=_forms)
    topics: Topics | None = None

    def fill(self, request: Request, facts: Facts) -> tuple[Request, Facts, tuple[str, ...]]:
        """*request* and *facts* with what they left open, and the names of the facts that were filled in."""
        request, names = self.asks(request)
        facts, more = self.tells(facts)
        return request, facts, names + more

    def asks(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """*request* with what it left open, and the names of what was filled in."""
        known = {name: getattr(self, name) for name in _OF_REQUESTS}
        known = {name: one for name, one in known.items() if one is not None}
        request, names = _filled(request, known, "request")
        if request.purpose in MARKETING or request.message.promotion:
            message, more = _filled(request.message, _said(self.marketing), "message")
            if more:
                request, names = attrs.evolve(request, message=message), names + more
        return request, names

    def tells(self, facts: Facts) -> tuple[Facts, tuple[str, ...]]:
        """*facts* with what they left open, and the names of what was filled in."""
        point, names = _filled(facts.point, _said(self.point), "point")
        if names:
            facts = replaced(facts, point=point)
        if self.topics is not None and facts.events:
            facts = replaced(facts, events=tuple(self.topics.spread(facts.events)))
        if self.forms and facts.events:
            events, more = self._shown(facts.events)
            if more:
                facts, names = replaced(facts, events=events), names + more
        return facts, names

    def _shown(self, events: tuple[ConsentEvent, ...]) -> tuple[tuple[ConsentEvent, ...], tuple[str, ...]]:
        forms = {(form.notice, form.version): form for form in self.forms}
        found: list[ConsentEvent] = []
        names = set[str]()
        for event in events:
            shown = event.evidence
            form = None if shown is None else forms.get((shown.notice or "", shown.notice_version))
            if shown is not None and form is not None:
                evidence, more = _filled(shown, _said(form), "evidence")
                if more:
                    event = replaced(event, evidence=evidence)
                    names.update(more)
            found.append(event)
        return tuple(found), tuple(sorted(names))


@lru_cache(maxsize=256)
def _said(template: Told) -> Mapping[str, Any]:
    """What a template says, by the names of fields."""
    found = {one.name: getattr(template, one.name) for one in attrs.fields(type(template))}
    return {name: one for name, one in found.items() if one is not None and name not in _NO_FACTS}


def _filled(value: T, known: Mapping[str, Any], root: str) -> tuple[T, tuple[str, ...]]:
    """*value* with what is *known* in the fields that it leaves open, and their names."""
    new = {name: one for name, one in known.items() if getattr(value, name) is None}
    if not new:
        return value, ()
    return replaced(value, **new), tuple(f"{root}.{name}" for name in new)
