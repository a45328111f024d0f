"""What a company asks of itself, beside the law.

Invariant: a policy never allows what a law denies. Its one freedom is the time that laws give for a withdrawal.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.values.personal import Document


@attrs.frozen(kw_only=True)
class Policy(Document):
    """*withdrawal_grace* ``legal_max`` uses the whole time that a law gives for processing a withdrawal."""

    withdrawal_grace: Literal["none", "legal_max"] = "none"
