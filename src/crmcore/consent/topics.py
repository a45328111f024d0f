"""The topics that a company writes about: their names, what people call them, and which are part of which.

Invariant: topics are trees, so that a No to one is a No to all that is part of it, also to what is added later. What
was recorded never changes: a name that is no topic is refused where it is written, and kept where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.consent.words import NOES
from crmcore.errors import InvalidConsent
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.language import Language
from crmcore.values.personal import Document


def _named(instance: object, attribute: object, value: str) -> None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidConsent("the name of a topic is a printable text, such as 'news'")


def _words(words: Mapping[str, str]) -> FrozenMap[str, str]:
    return FrozenMap({Language(tag).tag: text for tag, text in words.items()})


@attrs.frozen(kw_only=True)
class Topic(Document):
    """What messages can be about. *name* stands in acts, wishes and requests; *words* are for people, by language tag.

    One that has a *brand* is about that brand alone. One that is *part_of* another is a sub-topic of it, of its brand.

    Raises:
        InvalidConsent: if the name is no printable text.
        InvalidLanguage: if the words are of what is no language tag.
    """

    name: str = attrs.field(validator=_named)
    words: FrozenMap[str, str] = attrs.field(factory=FrozenMap, converter=_words)
    brand: str | None = None
    part_of: str | None = None


def _topics(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    found = tuple(topics)
    if not all(isinstance(one, Topic) for one in found):
        raise InvalidConsent("topics are given as a list of Topic(...)")
    return found


@attrs.frozen
class Topics(Document):
    """All topics of a company.

    Raises:
        InvalidConsent: if two have one name, one is part of what is no topic or of itself, or has another brand than
            the topic that it is part of.

    >>> ours = Topics([Topic(name="news", words={"en": "News", "de": "Neues"}), Topic(name="fairs", part_of="news")])
    >>> ours.said("news", Language("de-AT")), sorted(ours.under("news")), ours.lineage("fairs")
    ('Neues', ['fairs', 'news'], ('fairs', 'news'))
    >>> ours.check(["sport"])
    Traceback (most recent call last):
    crmcore.errors.InvalidConsent: there is no topic of that name: the topics are fairs, news
    """

    topics: tuple[Topic, ...] = attrs.field(default=(), converter=_topics)

    def __attrs_post_init__(self) -> None:
        by_name = self._by_name
        if len(by_name) < len(self.topics):
            raise InvalidConsent("two topics have the same name: give each a name of its own")
        rooted: set[str] = set()  # those that are known to lead up to a topic that is part of none
        for topic in self.topics:
            seen: set[str] = set()
            above: str | None = topic.name
            while above is not None and above not in rooted:
                if above not in by_name or above in seen:
                    raise InvalidConsent("a topic is part of one that is in the list, and never of itself")
                seen.add(above)
                above = by_name[above].part_of
            rooted |= seen
        for topic in self.topics:
            if topic.part_of is not None and topic.brand not in (None, self._brands[topic.part_of]):
                raise InvalidConsent("a topic is of the brand of the topic that it is part of")

    @cached_property
    def _by_name(self) -> Mapping[str, Topic]:
        return {topic.name: topic for topic in self.topics}

    @cached_property
    def _parts(self) -> Mapping[str, Sequence[str]]:
        """What is part of each topic that has parts."""
        found: dict[str, list[str]] = {}
        for topic in self.topics:
            if topic.part_of is not None:
                found.setdefault(topic.part_of, []).append(topic.name)
        return found

    @cached_property
    def _brands(self) -> Mapping[str, str | None]:
        """The brand of each topic: its own, or that of what it is part of."""
        found: dict[str, str | None] = {}
        waiting = [topic.name for topic in self.topics if topic.part_of is None]
        while waiting:
            topic = self._by_name[waiting.pop()]
            above = None if topic.part_of is None else found[topic.part_of]
            found[topic.name] = above if topic.brand is None else topic.brand
            waiting += self._parts.get(topic.name, ())
        return found

    def of(self, name: str) -> Topic | None:
        """The topic of a name; None if there is none."""
        return self._by_name.get(name)

    def check(self, names: Iterable[str]) -> None:
        """Refuse names that are no topics.

        Raises:
            InvalidConsent: with the names of those that there are.
        """
        if not self._by_name.keys() >= set(names):
            raise InvalidConsent(
                f"there is no topic of that name: the topics are {', '.join(sorted(self._by_name)) or 'none'}"
            )

    def said(self, name: str, language: Language | None = None) -> str:
        """What people call a topic: in their language, in that without its region, in the first that there is, or its
        name. One that is in the list no more is called by its name."""
        topic = self.of(name)
        if topic is None or not topic.words:
            return name
        tag = "" if language is None else language.tag
        while tag and tag not in topic.words:
            tag = tag.rpartition("-")[0]
        return topic.words[tag] if tag else next(iter(topic.words.values()))

    def lineage(self, name: str) -> tuple[str, ...]:
        """A topic and all that it is part of, nearest first."""
        found = [name]
        while (topic := self.of(found[-1])) is not None and topic.part_of is not None:
            found.append(topic.part_of)
        return tuple(found)

    def under(self, name: str) -> frozenset[str]:
        """A topic and all that is part of it."""
        found, waiting = {name}, [name]
        while waiting:
            parts = self._parts.get(waiting.pop(), ())
            found.update(parts)
            waiting += parts
        return frozenset(found)

    def brand(self, name: str) -> str | None:
        """The brand that a topic is of."""
        return self._brands.get(name)

    def spread(self, events: Iterable[ConsentEvent]) -> Iterator[ConsentEvent]:
        """*events*, where a No to a topic speaks of all that is part of it by now; a Yes stays as it was said.

        Decisions about topics are made on these: ``Facts(events=tuple(topics.spread(events)))``.
        """
        for event in events:
            topics = event.scope.topics
            wider = topics.union(*map(self.under, topics)) if event.kind in NOES else topics
            yield (
                event
                if wider == topics
                else attrs.evolve(event, scope=attrs.evolve(event.scope, topics=wider))
            )
