"""What is kept of an erasure: that it was done, of what kinds, and what was kept and why.

Invariant: a certificate holds no value and no id of what was erased.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import Any

import attrs

from crmcore.consent.disposition import Action, ErasurePlan
from crmcore.render import definitions, page, table
from crmcore.serde import Codec, dump
from crmcore.storage.erasure import ErasureReport
from crmcore.values.personal import Document


@attrs.frozen(kw_only=True)
class CertificateLine(Document):
    """How many things of a kind, what became of them, why, and until when what was kept is kept."""

    kind: str
    action: Action
    count: int
    reason: str
    cite: str
    until: date | None = None


@attrs.frozen(kw_only=True)
class Remainder(Document):
    """What remains somewhere, as the store says: where, until when, and what ends it."""

    place: str
    remedy: str
    until: datetime | None = None


@attrs.frozen(kw_only=True)
class ErasureCertificate(Document):
    """The proof that an erasure was done, under the *request* that asked for it."""

    request: str
    done_at: datetime
    plan_sha256: str
    lines: tuple[CertificateLine, ...]
    remains: tuple[Remainder, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest that the request keeps as that of its answer."""
        plain = json.dumps(dump(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()

    def count(self, *actions: Action) -> int:
        """Of how many things this became."""
        return sum(line.count for line in self.lines if line.action in actions)

    def to_json(self) -> dict[str, Any]:
        """The certificate as JSON."""
        return dict(dump(self))

    def to_html(self) -> str:
        """The certificate as one page."""
        lines = [(x.kind, x.action, x.count, x.reason, x.cite, str(x.until or "")) for x in self.lines]
        facts = [
            ("request", self.request),
            ("done", f"{self.done_at:%Y-%m-%d %H:%M} UTC"),
            ("erased", f"{self.count('delete', 'anonymise')} records and entries"),
            ("digest", self.sha256),
        ]
        rest = [(one.place, one.remedy, str(one.until or "not known")) for one in self.remains]
        return page(
            "Certificate of erasure",
            definitions(facts),
            table(["kind", "action", "how many", "why", "law", "until"], lines),
            table(["what remains", "what ends it", "until"], rest) if rest else None,
        )


@attrs.frozen(kw_only=True)
class ErasureBegun(Document):
    """An erasure that was begun: what its plan said, so that the certificate says it too if it was cut off."""

    request: str
    plan_sha256: str
    lines: tuple[CertificateLine, ...]


CERTIFICATE: Codec[ErasureCertificate] = Codec(
    tag="rights.certificate", type=ErasureCertificate, versioned=False
)
BEGUN: Codec[ErasureBegun] = Codec(tag="rights.erasure", type=ErasureBegun, versioned=False)
CODECS: tuple[Codec[Any], ...] = (CERTIFICATE, BEGUN)


def begun_by(plan: ErasurePlan, request: str) -> ErasureBegun:
    """What is noted of *plan* before anything is done."""
    lines = tuple(
        CertificateLine(kind=kind, action=action, count=count, reason=reason, cite=cite, until=until)
        for kind, action, reason, cite, until, count in plan.summary()
    )
    return ErasureBegun(request=request, plan_sha256=plan.digest, lines=lines)


def certify(begun: ErasureBegun, reports: tuple[ErasureReport, ...], *, at: datetime) -> ErasureCertificate:
    """The certificate of what was planned and done; what remains is what the store reports."""
    remains = {(one.place, one.remedy, one.until) for report in reports for one in report.residual}
    return ErasureCertificate(
        request=begun.request,
        done_at=at,
        plan_sha256=begun.plan_sha256,
        lines=begun.lines,
        remains=tuple(
            Remainder(place=place, remedy=remedy, until=until)
            for place, remedy, until in sorted(remains, key=repr)
        ),
    )
