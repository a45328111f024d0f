"""A preference centre: what a person gets by which way, and how they want it, to be shown, changed and recorded.

Invariant: it is read and written in the same shape. What is changed becomes acts that say it alone, and reading them
gives what was chosen, a Yes if there is evidence of it; nothing changed, nothing is recorded. What somebody saw as off
when they were done is off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import attrs

from crmcore.consent.case import Case
from crmcore.consent.checking import listed, one_of
from crmcore.consent.controllers import told_another
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts
from crmcore.consent.finding import NO, YES, Finding
from crmcore.consent.lifting import Lifting
from crmcore.consent.noes import noes
from crmcore.consent.policy import Policy
from crmcore.consent.request import Request
from crmcore.consent.speaking import covers_yes
from crmcore.consent.standing import standing_no, standing_yes
from crmcore.consent.topics import Topics
from crmcore.consent.wishes import Aspect, Wish, Wished, in_force
from crmcore.consent.words import NOES, Channel, Purpose
from crmcore.errors import InvalidConsent
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.language import Language
from crmcore.values.personal import Document, personal

State = Literal["on", "off", "pending", "unsaid"]
ASPECTS: tuple[Aspect, ...] = ("channels", "caps", "language", "quiet", "only_topics", "no_topics")


@attrs.frozen(kw_only=True)
class Offer(Document):
    """A line of the centre: what is sent for a *purpose* about a *topic* (None: whatever it is about), and by what."""

    purpose: Purpose = one_of(Purpose, "the purpose")
    channel: Channel = one_of(Channel, "the channel")
    topic: str | None = None


@attrs.frozen(kw_only=True)
class Choice(Document):
    """What stands on a line. *pending* waits for the confirmation of a double opt-in, *unsaid* was never spoken of.

    A Yes that nothing shows, or that another system asserts, is none that the person is taken to have said. *because*
    are the acts behind it.
    """

    offer: Offer
    state: State
    because: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class PreferenceCentre(Document):
    """All lines, and the wishes on how: of each aspect the latest that was stated, or inferred where none was.

    *points* are the normal forms of the contact points, by channel; a line without one is about the person. *topics*
    are all that there are, with their words for people; None where a topic is any text. *holders* are the records of
    the customer that have the contact point of a channel: a No goes along to each of them that gives it up meanwhile.
    """

    controller: str
    choices: tuple[Choice, ...]
    points: FrozenMap[Channel, str] = personal(factory=FrozenMap)
    holders: FrozenMap[Channel, tuple[str, ...]] = attrs.field(factory=FrozenMap)
    wishes: Wished = personal(factory=Wished)
    topics: Topics | None = None

    def words(self, topic: str, language: Language | None = None) -> str:
        """What people call a topic, in their *language* as far as there are words in it."""
        return topic if self.topics is None else self.topics.said(topic, language)

    def state(self, purpose: Purpose, channel: Channel, topic: str | None = None) -> State:
        """What stands on a line.

        Raises:
            InvalidConsent: if there is no such line, or no such topic.
        """
        return self.choices[self._line(Offer(purpose=purpose, channel=channel, topic=topic))].state

    def choose(
        self, purpose: Purpose, channel: Channel, topic: str | None = None, *, on: bool
    ) -> PreferenceCentre:
        """The same centre with another choice on a line.

        Raises:
            InvalidConsent: if there is no such line, or no such topic.
        """
        number = self._line(Offer(purpose=purpose, channel=channel, topic=topic))
        before = self.choices[number]
        after = attrs.evolve(before, state="on" if on else "off", because=())
        choices = (*self.choices[:number], after, *self.choices[number + 1 :])
        return self if before.state == after.state else attrs.evolve(self, choices=choices)

    def wish(self, **wished: Any) -> PreferenceCentre:
        """The same centre with other wishes: channels, caps, language, quiet, only_topics, no_topics.

        One that is None, or empty, is wished no more; a language is wished until another one is.

        Raises:
            InvalidConsent: if one is named otherwise, or is about what is no topic and was not wished before, or a
                language is left out.
        """
        if not wished.keys() <= set(ASPECTS):
            raise InvalidConsent(f"the wishes of a preference centre are {', '.join(ASPECTS)}")
        together = _ended(self.wishes, attrs.evolve(self.wishes, **wished))
        _check_topics(self, together)
        return attrs.evolve(self, wishes=together)

    def _line(self, offer: Offer) -> int:
        for number, choice in enumerate(self.choices):
            if choice.offer == offer:
                return number
        if self.topics is not None and offer.topic is not None:
            self.topics.check([offer.topic])
        raise InvalidConsent("the preference centre has no such line: add an offer for it")


@attrs.frozen(kw_only=True)
class Change(Document):
    """What is to be recorded: *events* in the ledgers of consent, and a *wish*, if any was changed."""

    events: tuple[ConsentEvent, ...] = ()
    wish: Wish | None = None


def preference_centre(
    events: Iterable[ConsentEvent],
    wishes: Iterable[Wish] = (),
    *,
    controller: str,
    offers: Iterable[Offer],
    at: datetime,
    points: Mapping[Channel, str] | None = None,
    joined: Mapping[str, datetime] | None = None,
    topics: Topics | None = None,
    owners: Mapping[str, Sequence[Facts]] | None = None,
) -> PreferenceCentre:
    """What stands at an instant, by the acts and wishes of all records of a customer; *joined* as in `Facts`.

    It shows what people told this *controller*, or nobody in particular, which is not whether they may be contacted:
    that is what a decision is for, and it hears what told others, too, where the controller has no name. With *topics*
    each line is about one of them, of its brand, and about all that is part of it. *owners* are of each contact point
    what counts for each record that has it, by which its line goes then: a No of one of them is one, and a Yes that is
    not one of them all is none.

    Raises:
        InvalidConsent: if an offer is about what is no topic, or two overlap: one for every topic and one for a single
            topic, or one for a topic and one for a part of it, of the same purpose and channel, since a choice on one
            of them would change the other.
    """
    lines = tuple(dict.fromkeys(listed(offers, Offer, "the lines of a centre are several Offer(...)")))
    if topics is not None:
        topics.check(line.topic for line in lines if line.topic is not None)
    _apart(lines, topics)
    held, known = FrozenMap(joined or {}), FrozenMap(points or {})
    facts = _told(Facts(events=tuple(events)), held, topics, controller)
    of_each = {
        point: [_told(one, held, topics, controller) for one in (owners or {}).get(point, ())]
        for point in known.values()
    }
    choices = [
        _choice(
            _request(line, controller, at, known, topics),
            line,
            facts,
            of_each.get(known.get(line.channel, ""), ()),
        )
        for line in lines
    ]
    said = [one for one in wishes if one.about("marketing", controller)]
    return PreferenceCentre(
        controller=controller,
        choices=tuple(choices),
        points=known,
        wishes=_wished(said, at, held, controller),
        topics=topics,
    )


def _told(facts: Facts, joined: FrozenMap[str, datetime], topics: Topics | None, controller: str) -> Facts:
    """The acts in *facts* that did not tell another controller, spread over the topics; *joined* where they do not tell
    it themselves."""
    spread = tuple if topics is None else topics.spread
    return Facts(
        events=tuple(
            spread([act for act in facts.events if not told_another(controller, act.scope.controller)])
        ),
        others_lifting=tuple(spread(facts.others_lifting)),
        joined=facts.joined or joined,
    )


def _wished(said: Sequence[Wish], at: datetime, joined: Mapping[str, datetime], controller: str) -> Wished:
    found: dict[str, Any] = {}
    for aspect in ASPECTS:
        latest = max(
            in_force(said, aspect, at, joined, controller=controller),
            key=lambda one: (one.basis == "stated", one.said_at, one.id),
            default=None,
        )
        if latest is not None:
            found[aspect] = getattr(latest, aspect)
    return Wished(**found)


_REQUESTS = frozenset({"request"})


def _apart(lines: tuple[Offer, ...], topics: Topics | None) -> None:
    for_all = {(one.purpose, one.channel) for one in lines if one.topic is None}
    offered = {(one.purpose, one.channel, one.topic) for one in lines}
    for one in lines:
        if one.topic is None:
            continue
        above = () if topics is None else topics.lineage(one.topic)[1:]
        if (one.purpose, one.channel) in for_all or any(
            (one.purpose, one.channel, topic) in offered for topic in above
        ):
            raise InvalidConsent(
                "an offer and one of a part of it overlap: offer either the single topics or all of them at once"
            )


_NOTHING: Mapping[str, Any] = {
    "channels": frozenset(),
    "caps": (),
    "quiet": (),
    "only_topics": frozenset(),
    "no_topics": frozenset(),
}


def _ended(before: Wished, after: Wished) -> Wished:
    """*after*, which says in so many words that what it leaves out of *before* is wished no more."""
    left = [one for one in ASPECTS if getattr(after, one) is None and getattr(before, one) is not None]
    if "language" in left:
        raise InvalidConsent("a language is wished until another one is: name that one")
    return attrs.evolve(after, **{one: _NOTHING[one] for one in left})


def _check_topics(centre: PreferenceCentre, wishes: Wished) -> None:
    """Refuse wishes about what is no topic, but for those that stood there before."""
    if centre.topics is None:
        return
    before = centre.wishes
    for wished, known in (
        (wishes.only_topics, before.only_topics),
        (wishes.no_topics, before.no_topics),
    ):
        centre.topics.check((wished or frozenset()) - (known or frozenset()))


_NO_ACT = frozenset({"preticked_box", "silence", "bundled_terms", "bundled_generic", "import_without_proof"})


def _valid(case: Case, event: ConsentEvent) -> Finding:
    """Whether the person said it, and something shows that; whether a law takes it for a consent is not asked here."""
    kind = None if event.evidence is None else event.evidence.kind
    return NO if kind is None or kind in _NO_ACT or event.kind == "assert_import" else YES


def _request(
    offer: Offer, controller: str, at: datetime, points: Mapping[Channel, str], topics: Topics | None
) -> Request:
    return Request(
        controller=controller,
        channel=offer.channel,
        purpose=offer.purpose,
        at=at,
        point=points.get(offer.channel),
        brand=_brand(offer, topics),
        topic=offer.topic,
    )


def _brand(offer: Offer, topics: Topics | None) -> str | None:
    return None if topics is None or offer.topic is None else topics.brand(offer.topic)


def _choice(request: Request, offer: Offer, facts: Facts, owners: Sequence[Facts]) -> Choice:
    cases = [Case(request, own, Policy(), None) for own in owners or (facts,)]
    for case in cases:
        said = noes(case, NOES, offer.purpose, case.channel)
        against = standing_no(case, said, (), Lifting(case, offer.purpose, _valid))
        if against.holds:
            return Choice(offer=offer, state="off", because=against.because)
    spoken = [standing_yes(case, offer.purpose, _valid, ()) for case in cases]
    if all(one.holds for one in spoken):
        return Choice(offer=offer, state="on", because=spoken[0].because)
    waiting = [
        (at, one.id)
        for case in cases
        for at, one in case.acts(_REQUESTS)
        if not one.alone and covers_yes(one.scope, case.contact, offer.purpose)
    ]
    if not waiting:
        return Choice(offer=offer, state="unsaid")
    return Choice(offer=offer, state="pending", because=(max(waiting)[1],))


def centre_changes(
    before: PreferenceCentre,
    after: PreferenceCentre,
    *,
    at: datetime,
    new_id: Callable[[], str],
    evidence: Evidence | None,
    record: str,
    members: tuple[str, ...] = (),
    current: PreferenceCentre | None = None,
) -> Change:
    """The acts that make *after* of *before*, done at *at* by whoever sits before the centre.

    *current* is what stands by now, where that may not be *before* any more, since it was changed elsewhere: what they
    see as off is off then, and what was on when they came stays as it is now. *evidence* is how it can be shown: a Yes
    without any is worth nothing. *record* is the party under which they are recorded, *members* are the records of the
    customer, for acts about the person. *new_id* gives a new id each time.

    Raises:
        InvalidConsent: if the two are not of one controller with the same lines and contact points, or something is
            wished about what is no topic.
    """
    current = before if current is None else current
    if not _one_centre(before, after) or not _one_centre(before, current):
        raise InvalidConsent(
            "what was chosen belongs to another preference centre: read it anew and choose again"
        )
    _check_topics(before, after.wishes)
    events = []
    for old, new, now in zip(before.choices, after.choices, current.choices, strict=True):
        if old.state == new.state and not (new.state == "off" != now.state):
            continue
        offer, point = new.offer, before.points.get(new.offer.channel)
        events.append(
            ConsentEvent(
                id=new_id(),
                kind="give" if new.state == "on" else "withdraw",
                occurred_at=at,
                recorded_at=at,
                scope=Scope(
                    controller=before.controller,
                    brand=_brand(offer, before.topics),
                    channels=(offer.channel,),
                    purposes=(offer.purpose,),
                    point=point,
                    topics=_spoken_of(offer, before.topics),
                ),
                evidence=evidence,
                record=record,
                members=() if point is not None else members,
                via="preference_centre",
            )
        )
    return Change(events=tuple(events), wish=_wish(before, after, at, new_id, record))


def _one_centre(one: PreferenceCentre, other: PreferenceCentre) -> bool:
    lines = [[choice.offer for choice in centre.choices] for centre in (one, other)]
    return lines[0] == lines[1] and (one.controller, one.points) == (other.controller, other.points)


def _spoken_of(offer: Offer, topics: Topics | None) -> frozenset[str]:
    """A line about a topic is about all that is part of it."""
    if offer.topic is None:
        return frozenset()
    return frozenset((offer.topic,)) if topics is None else topics.under(offer.topic)


def _wish(
    before: PreferenceCentre, after: PreferenceCentre, at: datetime, new_id: Callable[[], str], record: str
) -> Wish | None:
    """What was wished otherwise; a wish that was left out says that it is wished no more."""
    wishes = _ended(before.wishes, after.wishes)
    changed: dict[str, Any] = {
        aspect: getattr(wishes, aspect)
        for aspect in ASPECTS
        if getattr(wishes, aspect) != getattr(before.wishes, aspect)
    }
    if not changed:
        return None
    return Wish(
        id=new_id(), record=record, said_at=at, recorded_at=at, controller=before.controller, **changed
    )
