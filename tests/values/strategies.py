"""Hypothesis strategies for the text-like values: what people write, and what hostile programs send."""

from __future__ import annotations

import unicodedata

import phonenumbers
from hypothesis import strategies as st

from crmcore.values.country import COUNTRIES
from crmcore.values.email import EmailAddress
from crmcore.values.language import Language
from crmcore.values.organization_name import OrganizationName, OrganizationNameKind
from crmcore.values.person_name import NamePart, PersonName
from crmcore.values.phone import PhoneNumber
from crmcore.values.postal_address import PostalAddress

HOSTILE = (
    "",
    " ",
    "\t\n\r",
    "\x00",
    "a\x00b",
    "\u202ecod.exe",
    "\u200b",
    "\ufeff",
    "\ud800",
    "ann\udfff@x.org",
    "🧑‍🚀",
    "🇩🇪",
    "a" + "\u0301" * 300,
    "﷽" * 40,
    "İ",
    "ß",
    "ᾳ",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "' OR 1=1 --",
    "%s%n{0}",
    "x" * 5000,
    " " * 5000,
    "@" * 5000,
    "(" * 90,
    "a@" * 160,
    "1" * 99,
    "+" + "9" * 98,
    "ext." * 25,
    "1,1" * 33,
    "Mc" * 250,
    ", " * 250,
    "de " * 170,
    '"' * 511,
)
"""Texts that break careless parsers: invisible, broken, enormous, or made for another interpreter."""

_WORDS = (
    "Ann", "Lee", "O'Neill", "Åse", "Łukasz", "Nguyễn", "Thị", "Khai", "García", "Lorca", "María", "del", "Carmen",
    "van", "Beethoven", "Björk", "Guðmundsdóttir", "Sīnā", "Æ", "A-12", "김민준", "毛泽东", "山田", "太郎", "Иван",
    "Петрович", "محمد", "हिन्दी", "דוד", "ไทย", "Jr.", "Dr.", "PhD", "St.", "ﬁ", "½", "e\u0301", "ᾳ", "ǅ", "ŀl", "が",
)  # fmt: skip


def texts(min_size: int = 0, max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text without lone surrogates."""
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=min_size, max_size=max_size)


def visible_texts(max_size: int = 40) -> st.SearchStrategy[str]:
    """Texts that have something to keep: a letter or digit at least."""
    return st.tuples(texts(max_size=max_size), st.sampled_from(_WORDS), texts(max_size=max_size)).map("".join)


def words() -> st.SearchStrategy[str]:
    """A word as it stands in a name."""
    return st.sampled_from(_WORDS)


def wordings(max_size: int = 5) -> st.SearchStrategy[str]:
    """A few words, with untidy white space and in either normal form."""

    def arrange(parts: list[str], space: str, form: str) -> str:
        text = space.join(parts)
        return unicodedata.normalize("NFC" if form == "NFC" else "NFD", text)

    return st.builds(
        arrange,
        st.lists(words(), min_size=1, max_size=max_size),
        st.sampled_from([" ", "  ", "\t", "\u00a0", ", ", "-"]),
        st.sampled_from(["NFC", "NFD"]),
    )


_LOCAL = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&'*+/=?^_`{|}~-"
_LABEL = st.from_regex(r"[a-zA-Z0-9](?:[a-zA-Z0-9]{0,10}[a-zA-Z0-9])?", fullmatch=True)


def email_texts() -> st.SearchStrategy[str]:
    """Addresses that have the syntax of one, ASCII and not."""
    atoms = st.text(_LOCAL, min_size=1, max_size=8) | st.sampled_from(
        ["δοκιμή", "rené", "用户", "jose\u0301"]
    )
    local = st.lists(atoms, min_size=1, max_size=3).map(".".join)
    labels = st.lists(_LABEL | st.sampled_from(["bücher", "例子", "παράδειγμα"]), min_size=1, max_size=3).map(
        ".".join
    )
    endings = st.sampled_from(["org", "example", "test", "DE", "ευ", "museum"])
    return st.builds(lambda name, host, end: f"{name}@{host}.{end}", local, labels, endings)


def emails() -> st.SearchStrategy[EmailAddress]:
    return email_texts().map(EmailAddress.parse)


REGIONS = ("US", "GB", "DE", "FR", "JP", "IN", "BR", "NG", "IT", "AR", "AU", "CN")


@st.composite
def phone_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A number of a numbering plan in one of its written forms, and its region."""
    region = draw(st.sampled_from(REGIONS))
    kind = draw(st.sampled_from([0, 1]))  # fixed line and mobile
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None
    form = draw(st.sampled_from([0, 1, 2, 3]))  # E.164, international, national, RFC 3966
    extension = draw(st.sampled_from(["", " ext. 101", " x7", ";ext=12345"]))
    return phonenumbers.format_number(example, form) + extension, region


def phones() -> st.SearchStrategy[PhoneNumber]:
    return phone_texts().map(lambda pair: PhoneNumber.parse(*pair))


def languages() -> st.SearchStrategy[Language]:
    return st.sampled_from(
        [
            "en",
            "pt-BR",
            "zh-Hant-TW",
            "vi",
            "is",
            "nl",
            "nl-BE",
            "de",
            "es-419",
            "sl-rozaj",
            "en-u-ca-gregory",
            "x-own",
        ]
    ).map(Language)


def countries() -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(COUNTRIES))


_KINDS = (
    "given",
    "given2",
    "middle",
    "family",
    "family2",
    "patronymic",
    "particle",
    "honorific",
    "nickname",
    "mononym",
)
_USES = ("usual", "legal", "birth", "former", "religious", "pen", "nickname", "old")


def person_names() -> st.SearchStrategy[PersonName]:
    parts = st.lists(st.builds(NamePart, st.sampled_from(_KINDS), words()), max_size=5).map(tuple)
    return st.builds(
        PersonName,
        full=wordings(),
        parts=parts,
        order=st.sampled_from(["as_written", "given_first", "family_first"]),
        language=st.none() | languages().map(lambda language: language.tag),
        use=st.sampled_from(_USES),
    )


def organization_names() -> st.SearchStrategy[OrganizationName]:
    kinds: st.SearchStrategy[OrganizationNameKind] = st.sampled_from(
        ["legal", "trading", "former", "short", "usual"]
    )
    return st.builds(OrganizationName, wordings(), kinds)


COMPONENTS = (
    "recipient", "care_of", "organization", "premise", "unit", "street_address", "landmark", "po_box",
    "dependent_locality", "locality", "administrative_area", "postal_code", "sorting_code",
)  # fmt: skip


def postal_addresses() -> st.SearchStrategy[PostalAddress]:
    lines = st.lists(wordings(), min_size=1, max_size=4).map(tuple)
    written = st.builds(PostalAddress, lines=lines, country=st.none() | countries())
    components = st.dictionaries(st.sampled_from(COMPONENTS), wordings(3), min_size=1)
    built = st.builds(
        lambda parts, country, language: PostalAddress(**parts, country=country, language=language),
        components,
        st.none() | countries(),
        st.none() | languages().map(lambda language: language.tag),
    )
    return written | built
