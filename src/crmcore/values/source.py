"""Where a fact comes from, and who acted.

Invariant: a source names the system *instance* (``hubspot:eu1``, not just HubSpot) and the record's id there; an
actor names a kind and an id. Neither says anything personal beyond that id.
"""

from __future__ import annotations

from typing import Literal, get_args

import attrs

from crmcore.errors import InvalidSource
from crmcore.values.personal import Document, personal
from crmcore.values.validate import one_of, text

ActorKind = Literal["person", "system", "customer", "import", "model"]


_NAMED = text(limit=256, error=InvalidSource)


@attrs.frozen
class Source(Document):
    """The record of another system that a party stands for.

    >>> Source("hubspot:eu1", "4711")
    Source(system='hubspot:eu1', record=<hidden>)
    """

    system: str = attrs.field(validator=_NAMED, kw_only=False)
    record: str = personal(validator=_NAMED, kw_only=False)


@attrs.frozen
class Actor(Document):
    """Who did something: a person of ours, a system, a customer, an import or a matching model."""

    kind: ActorKind = attrs.field(validator=one_of(*get_args(ActorKind), error=InvalidSource))
    id: str = personal(class_="internal", validator=_NAMED)
    on_behalf_of: str | None = personal(
        class_="internal", default=None, validator=attrs.validators.optional(_NAMED)
    )


SYSTEM = Actor(kind="system", id="crmcore")
"""The actor of writes for which nobody was named."""
