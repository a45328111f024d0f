"""One-click unsubscribe (RFC 8058, RFC 2369): the headers of a message, and signed links that say nothing of anybody.

Invariant: reading a link changes nothing. What a link asks for is what was signed, whole; pressed twice it is one act.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from uuid import UUID

import attrs

from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.secret_ring import SecretRing
from crmcore.consent.words import YESES, ActPurpose, Channel
from crmcore.errors import InvalidConsent
from crmcore.values.ids import has_id_form
from crmcore.values.instant import ensure_aware
from crmcore.values.personal import Document

LEAST = timedelta(days=60)
"""So long a link works at least: the time that Canada asks for, the longest."""

_FOR = "crmcore.unsubscribe/1"
_RECORD = "crmcore.unsubscribe.record/1"
_LONGEST = 4000
_TOKEN = re.compile(r"([1-9][0-9]{0,6})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)
_DAMAGED = (
    "this link is not whole, or was not made here: use the one in the latest message, or write to the sender"
)

More = Literal["records", "beside"]


@attrs.frozen(kw_only=True)
class Ticket(Document):
    """What a link stands for: that whoever has this contact point wants no more of a list, or of all, by a channel.

    *point* is the id of the contact point's ledger, *known* the keyed hashes by which it is suppressed where that
    ledger is gone, one of each of its forms; there is one of them at least, and never an address. *records* are the ids
    of the records that the message was for, which want no more of it at an address that they have by then, either;
    *beside* are others of the same customer that had the contact point, of which that is so while they are. Of which of
    the two there were *more* than a link has room for is said, too. Without a *topic* it is about every list.
    """

    point: str | None = None
    records: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    more: More | None = None
    known: tuple[str, ...] = ()
    controller: str
    channel: Channel = "email"
    topic: str | None = None
    purposes: tuple[ActPurpose, ...] = ("marketing",)
    issued_at: datetime
    expires_at: datetime

    def __attrs_post_init__(self) -> None:
        for named in (self.point, *self.known):
            if named is not None and not re.fullmatch(r"[0-9A-Za-z.:_-]{8,200}", named):
                raise InvalidConsent(
                    "a link names a contact point by its id or keyed hash, never by its address"
                )
        if self.point is None and not self.known:
            raise InvalidConsent("a link names a contact point, by its id or keyed hash")
        if not all(map(has_id_form, (*self.records, *self.beside))):
            raise InvalidConsent("a link names the records that it is for by their ids")
        if not isinstance(self.topic, str | None):
            raise InvalidConsent("a topic is named by a text")
        if self.more not in (None, *get_args(More)):
            raise InvalidConsent(
                "there are more of the records, or of those beside, than a link has room for"
            )
        if self.channel not in get_args(Channel):
            raise InvalidConsent(f"a channel is one of {', '.join(get_args(Channel))}")
        if not self.purposes or not set(self.purposes) <= set(get_args(ActPurpose)):
            raise InvalidConsent(f"the purposes of a link are some of {', '.join(get_args(ActPurpose))}")
        if ensure_aware(self.expires_at) - ensure_aware(self.issued_at) < LEAST:
            raise InvalidConsent(f"a link works for {LEAST.days} days at least: let it end later")

    @property
    def scope(self) -> Scope:
        """What is withdrawn, of whichever contact point."""
        return Scope(
            controller=self.controller,
            channels=(self.channel,),
            purposes=self.purposes,
            topics=() if self.topic is None else (self.topic,),
        )


def sign_ticket(ticket: Ticket, secrets: SecretRing) -> str:
    """The token of a ticket, under the newest secret. It can be made by nobody else, and read by anybody but for the
    records that it is for.

    Raises:
        InvalidConsent: if its names are too long for a link.

    >>> ring = SecretRing({1: bytes(32)})
    >>> now = datetime(2026, 5, 4, tzinfo=UTC)
    >>> ticket = Ticket(
    ...     point="0190c3a2-0000-7000-8000-000000000001",
    ...     controller="acme",
    ...     topic="news",
    ...     issued_at=now,
    ...     expires_at=now + timedelta(days=365),
    ... )
    >>> read_ticket(sign_ticket(ticket, ring), ring, now).topic
    'news'
    """
    body = {
        "p": ticket.point,
        "r": _sealed(ticket, ticket.records, secrets) or None,
        "b": _sealed(ticket, ticket.beside, secrets) or None,
        "m": ticket.more,
        "k": ticket.known or None,
        "c": ticket.controller,
        "h": ticket.channel,
        "t": ticket.topic,
        "u": sorted(ticket.purposes),
        "i": int(ticket.issued_at.timestamp()),
        "e": int(ticket.expires_at.timestamp()),
    }
    plain = json.dumps(
        {name: value for name, value in body.items() if value is not None}, separators=(",", ":")
    )
    payload = plain.encode()
    signed = secrets.mac(secrets.newest, _FOR, payload) or b""
    token = f"{secrets.newest}.{_text(payload)}.{_text(signed)}"
    if len(token) > _LONGEST:
        raise InvalidConsent(
            "the names in this link are too long: give the topic and the controller shorter ones"
        )
    return token


def read_ticket(token: str, secrets: SecretRing, now: datetime) -> Ticket:
    """What a link stands for, to be shown before anybody confirms it. Nothing is changed.

    Raises:
        InvalidConsent: with a sentence for whoever pressed it, if it is not whole, was signed by somebody else or with
            a secret that is no longer here, or has run out.
    """
    found = _TOKEN.fullmatch(token) if isinstance(token, str) and len(token) <= _LONGEST else None
    payload = None if found is None else _bytes(found[2])
    signature = None if found is None else _bytes(found[3])
    if found is None or payload is None or signature is None:
        raise InvalidConsent(_DAMAGED)
    expected = secrets.mac(int(found[1]), _FOR, payload)
    if expected is None:
        raise InvalidConsent("this link is too old to be known here: use the one in the latest message")
    if not hmac.compare_digest(expected, signature):
        raise InvalidConsent(_DAMAGED)
    body = json.loads(payload)
    records, beside = (_opened(body.get(name, ""), int(found[1]), secrets) for name in ("r", "b"))
    ticket = _ticket(body, records, beside)
    if ensure_aware(now) >= ticket.expires_at:
        raise InvalidConsent(
            "this link has run out: use the one in the latest message, or write to the sender"
        )
    return ticket


def unsubscribe_act(
    token: str,
    secrets: SecretRing,
    now: datetime,
    *,
    point: str | None = None,
    earlier: Iterable[ConsentEvent] = (),
    record: str | None = None,
    each: bool = False,
) -> ConsentEvent:
    """The act to record when a link was pressed: a withdrawal. *point* is the normal form that it is about.

    With the acts *earlier*, about the contact point and about whoever has it, pressing again gives the act of the first
    time, unless somebody said yes since: then it is one of its own. *each*: the link is for several records, each of
    which has an act of its own, so that what one of them says later takes no No from another.

    Raises:
        InvalidConsent: as `read_ticket`.
    """
    ticket = read_ticket(token, secrets, now)
    base = f"unsubscribe:{hashlib.sha256(token.encode()).hexdigest()[:32]}"
    acts = list(earlier)
    same = [
        one
        for one in acts
        if (one.id == base or one.id.startswith(base + ":")) and not (each and one.record != record)
    ]
    if same:
        last = max(same, key=lambda one: one.occurred_at)
        if not any(one.kind in YESES | {"lift"} and one.occurred_at > last.occurred_at for one in acts):
            return last
    id = f"{base}:{len(same) + 1}" if same else base
    return ConsentEvent(
        id=f"{id}:{record}" if each else id,
        kind="withdraw",
        occurred_at=now,
        recorded_at=now,
        scope=attrs.evolve(ticket.scope, point=point),
        record=record,
        via="unsubscribe_link",
    )


def is_one_click(method: str, body: str | bytes | None) -> bool:
    """Whether a request to a link asks for the act, as RFC 8058 says: a POST with ``List-Unsubscribe=One-Click``.

    Scanners of mail follow every link, so a GET asks for the page that has the button, and for nothing more.

    >>> is_one_click("POST", "List-Unsubscribe=One-Click"), is_one_click("GET", "List-Unsubscribe=One-Click")
    (True, False)
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if not isinstance(method, str) or not isinstance(text, str):  # a framework may have read the body already
        return False
    asked = ("List-Unsubscribe", "One-Click")
    plain = asked in parse_qsl(text, max_num_fields=20) if text.count("&") < 20 else False
    parts = re.search(r'name="List-Unsubscribe"\r?\n(?:[^\r\n]+\r?\n)*\r?\nOne-Click\s', text)
    return method.upper() == "POST" and (plain or parts is not None)


def unsubscribe_headers(url: str, token: str, *, mailto: str | None = None) -> Mapping[str, str]:
    """The two headers of a message that can be unsubscribed from with one click. A DKIM signature must cover both.

    *url* is the page that takes the token as ``?token=``; *mailto* an address that reads it from the subject.

    Raises:
        InvalidConsent: if the *url* is not one of https, as RFC 8058 asks.

    >>> headers = unsubscribe_headers("https://acme.example/unsubscribe", "1.x.y", mailto="leave@acme.example")
    >>> headers["List-Unsubscribe"]
    '<https://acme.example/unsubscribe?token=1.x.y>, <mailto:leave@acme.example?subject=1.x.y>'
    >>> headers["List-Unsubscribe-Post"]
    'List-Unsubscribe=One-Click'
    """
    if not isinstance(url, str) or not isinstance(mailto, str | None):
        raise InvalidConsent("the addresses for unsubscribing are texts")
    parts = urlsplit(url)
    if (
        parts.scheme != "https"
        or not parts.netloc
        or re.search(r"[\s<>,\x00-\x1f\x7f]", url)
        or parts.fragment
    ):
        raise InvalidConsent(
            "the page for unsubscribing has an address that begins with https:// and no fragment"
        )
    asked = "&".join(filter(None, (parts.query, urlencode({"token": token}))))
    ways = [f"<{parts._replace(query=asked).geturl()}>"]
    if mailto is not None:
        if re.search(r"[\s<>,?\x00-\x1f\x7f]", mailto):
            raise InvalidConsent("the address for unsubscribing by mail is a bare e-mail address")
        ways.append(f"<mailto:{mailto}?subject={quote(token)}>")
    return {"List-Unsubscribe": ", ".join(ways), "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes | None:
    """The bytes, if the text is how they are written: one and the same text for the same bytes."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return raw if _text(raw) == text else None


def _sealed(ticket: Ticket, records: Iterable[str], secrets: SecretRing) -> str:
    """The ids of records: in each token another text, so that nobody can tell which addresses are of one person."""
    context = (ticket.point or "", ticket.issued_at.isoformat(), *ticket.known)
    return ".".join(_text(secrets.sealed(_RECORD, UUID(one).bytes, *context)) for one in records)


def _opened(text: str, version: int, secrets: SecretRing) -> tuple[str, ...]:
    sealed = [_bytes(one) or b"" for one in text.split(".") if one]
    return tuple(str(UUID(bytes=secrets.opened(version, _RECORD, one))) for one in sealed)


def _ticket(body: dict[str, Any], records: tuple[str, ...], beside: tuple[str, ...]) -> Ticket:
    return Ticket(
        point=body.get("p"),
        records=records,
        beside=beside,
        more=body.get("m"),
        known=tuple(body.get("k", ())),
        controller=body["c"],
        channel=body["h"],
        topic=body.get("t"),
        purposes=tuple(body["u"]),
        issued_at=datetime.fromtimestamp(body["i"], UTC),
        expires_at=datetime.fromtimestamp(body["e"], UTC),
    )
