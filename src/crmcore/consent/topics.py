"""The topics that a company writes about: their names, what people call them, and which are part of which.

Invariant: topics are trees, so that a No to one is a No to all that is part of it, also to what is added later. What
was recorded never changes: a name that is no topic is refused where it is written, and kept where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
    return tuple(topics)


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
        by_name = {topic.name: topic for topic in self.topics}
        if len(by_name) < len(self.topics):
            raise InvalidConsent("two topics have the same name: give each a name of its own")
        for topic in self.topics:
            seen, above = {topic.name}, topic.part_of
            while above is not None:
                if above not in by_name or above in seen:
                    raise InvalidConsent("a topic is part of one that is in the list, and never of itself")
                seen.add(above)
                above = by_name[above].part_of
        for topic in self.topics:
            if topic.part_of is not None and topic.brand not in (None, self.brand(topic.part_of)):
                raise InvalidConsent("a topic is of the brand of the topic that it is part of")

    def of(self, name: str) -> Topic | None:
        """The topic of a name; None if there is none."""
        return next((topic for topic in self.topics if topic.name == name), None)

    def check(self, names: Iterable[str]) -> None:
        """Refuse names that are no topics.

        Raises:
            InvalidConsent: with the names of those that there are.
        """
        known = {topic.name for topic in self.topics}
        if not known.issuperset(names):
            raise InvalidConsent(
                f"there is no topic of that name: the topics are {', '.join(sorted(known)) or 'none'}"
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
        return frozenset((name, *(one.name for one in self.topics if name in self.lineage(one.name))))

    def brand(self, name: str) -> str | None:
        """The brand that a topic is of."""
        found = (self.of(one) for one in self.lineage(name))
        return next((one.brand for one in found if one is not None and one.brand is not None), None)

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
