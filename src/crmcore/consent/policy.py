"""What a company asks of itself, beside the law.

Invariant: a policy never allows what a law denies. Its one freedom is the time that laws give for a withdrawal; what it
asks beside the law can only forbid more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs

from crmcore.errors import InvalidConsent
from crmcore.values.personal import Document


def _named(names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise InvalidConsent("the rules beside the law are a list of names, such as ['mailbox_providers']")
    return tuple(dict.fromkeys(names))


@attrs.frozen(kw_only=True)
class Policy(Document):
    """*withdrawal_grace* ``legal_max`` uses the whole time that a law gives for processing a withdrawal.

    *beside* names rules that are no law and are asked beside it, such as ``mailbox_providers``: what providers of
    mailboxes ask of those who send in bulk. They must allow it too.

    >>> Policy(beside=["mailbox_providers"]).beside
    ('mailbox_providers',)
    """

    withdrawal_grace: Literal["none", "legal_max"] = "none"
    beside: tuple[str, ...] = attrs.field(default=(), converter=_named)
