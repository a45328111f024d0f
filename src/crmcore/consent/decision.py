"""The decision whether somebody may be contacted.

Invariant: without a rule that allows, nobody is. This version holds no rules, so it says so and allows nothing.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.values.personal import Document


@attrs.frozen(kw_only=True)
class Decision(Document):
    """*answer* is what to do; *reasons* say why, for people."""

    answer: Literal["allow", "deny", "need_confirmation"]
    purpose: str
    channel: str
    reasons: tuple[str, ...]

    def explain(self) -> str:
        """The decision in words."""
        return "\n".join(
            (f"{self.answer}: {self.purpose} by {self.channel}", *(f"  {why}" for why in self.reasons))
        )


def decide(*, purpose: str, channel: str) -> Decision:
    """Deny, since no rules are loaded.

    >>> decide(purpose="marketing", channel="email").answer
    'deny'
    """
    return Decision(
        answer="deny",
        purpose=purpose,
        channel=channel,
        reasons=(
            "not yet decided here: this version of crmcore holds no consent rules, and without a rule it is no",
        ),
    )
