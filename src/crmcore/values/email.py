"""An e-mail address.

Invariant: an address has the syntax of RFC 5321, 5322 and 6531 with a dot in its domain; it is kept as written and
compared by `key`. Nothing asks the network whether it exists, and no error quotes it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import attrs

from crmcore.errors import InvalidEmail
from crmcore.values.personal import personal
from crmcore.values.text import required

_LIMIT = 320
"""More than any address has (254 octets), and little enough that judging a hostile text costs nothing."""

# What nearly all addresses look like. Anything else, and what is over a limit, is left to the whole grammar.
_USUAL = re.compile(
    r"([A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*)@((?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,60})\Z", re.ASCII
)
_USUAL_LENGTH = 60

_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})
_ADVICE = {
    "no_at": "an e-mail address has an '@' between the name and the domain: 'ann@example.org'",
    "two_at": "there is more than one '@': give one e-mail address at a time",
    "display_name": "the text holds more than the address: give only the part between '<' and '>'",
    "spaces": "an e-mail address has no spaces: remove them",
    "control": "the text holds invisible or control characters: remove them",
    "local_part": "the part before the '@' is not valid: check it for missing or stray characters",
    "domain": "the part after the '@' is not a domain name with a dot: check its spelling",
    "too_long": "an e-mail address has at most 254 octets: check where it ends",
}


@attrs.frozen(kw_only=True)
class EmailAddress:
    """An address as it was written, and its parts: *local* composed (NFC), *domain* in ASCII and lower case.

    >>> ann = EmailAddress.parse("Ann.Lee@BÜCHER.example")
    >>> ann.domain, ann.key
    ('xn--bcher-kva.example', 'ann.lee@xn--bcher-kva.example')
    >>> ann
    EmailAddress(text=<hidden>, local=<hidden>, domain=<hidden>)
    """

    text: str = personal()
    local: str = personal()
    domain: str = personal()

    @classmethod
    def parse(cls, text: str) -> EmailAddress:
        """Read one bare address; white space around it is dropped. Special-use domains (``.test``) are addresses.

        Raises:
            InvalidEmail: with a *reason*: ``empty``, ``no_at``, ``two_at``, ``display_name``, ``spaces``,
                ``control``, ``local_part``, ``domain``, ``too_long``, ``surrogate`` or ``type``.

        >>> EmailAddress.parse(" ann@x.org ").text
        'ann@x.org'
        >>> EmailAddress.parse("Ann Lee <ann@x.org>")
        Traceback (most recent call last):
        ...
        crmcore.errors.InvalidEmail: the text holds more than the address: give only the part between '<' and '>'
        """
        verdict = _judge(required(text, error=InvalidEmail, what="an e-mail address", limit=_LIMIT))
        if isinstance(verdict, str):
            raise InvalidEmail(_ADVICE[verdict], reason=verdict)
        return verdict

    @property
    def key(self) -> str:
        """The form for comparison: casefolded local part, ``@``, domain. Plus-tags and dots are kept.

        >>> EmailAddress.parse("Ann+News@X.org").key
        'ann+news@x.org'
        """
        return f"{_folded(self.local)}@{self.domain}"

    def to_json(self) -> str:
        """The address as written.

        >>> EmailAddress.parse("Ann@X.org").to_json()
        'Ann@X.org'
        """
        return self.text

    @classmethod
    def from_json(cls, text: str) -> EmailAddress:
        """The inverse of `to_json`. An address that was one when it was stored stays one, also under stricter rules.

        Raises:
            InvalidEmail: if *text* has no local part or no domain.

        >>> EmailAddress.from_json("ann@x.org") == EmailAddress.parse("ann@x.org")
        True
        >>> EmailAddress.from_json("ann..lee@x.org").key
        'ann..lee@x.org'
        """
        try:
            return cls.parse(text)
        except InvalidEmail:
            local, _, domain = text.rpartition("@") if isinstance(text, str) else ("", "", "")
            if not local or not domain:
                raise
        return cls(text=text, local=unicodedata.normalize("NFC", local), domain=domain.lower())


def _folded(local: str) -> str:
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())


def _obvious_fault(text: str) -> str | None:
    """The faults that people make, told apart before the grammar would call all of them malformed."""
    if any(unicodedata.category(char) in _INVISIBLE for char in text):
        return "control"
    if "<" in text or ">" in text:
        return "display_name"
    if "@" not in text:
        return "no_at"
    if text.count("@") > 1:
        return "two_at"
    return "spaces" if re.search(r"\s", text) else None


@lru_cache(maxsize=8192)
def _judge(text: str) -> EmailAddress | str:
    """The address, or the reason why there is none; refusals are remembered too, since files repeat them."""
    if len(text) <= _USUAL_LENGTH and (usual := _USUAL.match(text)):
        return EmailAddress(text=text, local=usual[1], domain=usual[2].lower())
    fault = _obvious_fault(text)
    if fault is not None:
        return fault
    local, _, host = text.partition("@")
    if not local or not host:
        return "domain" if local else "local_part"
    found = _validated(local, host)
    if isinstance(found, str):
        return found
    name, domain = found
    if "." not in domain or not domain.rpartition(".")[2][:1].isalpha():
        return "domain"
    return EmailAddress(text=text, local=name, domain=domain)


def _validated(local: str, host: str) -> tuple[str, str] | str:
    """The normal local part and the ASCII domain, or the reason why there are none."""
    # On first use: the grammar and its tables cost more than the rest of the library to import.
    from email_validator import EmailSyntaxError, validate_email

    def checked(address: str) -> tuple[str, str] | None:
        try:
            found = validate_email(address, check_deliverability=False)
        except EmailSyntaxError:
            return None
        return found.local_part, found.ascii_domain or ""

    if found := checked(f"{local}@{host}"):
        return found
    if len(local) + len(host) > 253:
        return "too_long"
    if not checked(f"{local}@x.org"):
        return "local_part"
    # The library refuses reserved domains (.test, .local) by name; under another top level only their syntax counts.
    if found := checked(f"{local}@{host}.o"):
        return found[0], found[1].removesuffix(".o")
    return "domain"
