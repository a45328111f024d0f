"""Texts that break programs, made here by classes of code points and by what they look like to other programs.

Invariant: the list is the same in every run, and `keepable` and `nameable` say what the protocol makes of each.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


def hostile() -> tuple[str, ...]:
    """Some hundreds of texts, each once."""
    return tuple(dict.fromkeys([*_points(), *_pairs(), *_programs(), *_numbers(), *_long()]))


def keepable(text: str) -> bool:
    """Whether a text may stand in a body or a key: no U+0000 and no lone surrogate.

    >>> keepable("a\\u0001b"), keepable("a\\u0000b"), keepable("\\ud800")
    (True, False, False)
    """
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def nameable(text: str) -> bool:
    """Whether a text may be a tenant, a stream, an idempotency key.

    >>> nameable("a b"), nameable(""), nameable("a\\n")
    (True, False, False)
    """
    return keepable(text) and 1 <= len(text) <= 256 and not any(char < " " or char == "\x7f" for char in text)


def _points() -> Iterator[str]:
    """Code points of every general category, alone and between letters, and the corners of the planes."""
    taken: dict[str, int] = {}
    for code in (
        *range(0x3000),
        *range(0xA000, 0xFFFF, 7),
        *range(0x10000, 0x1FFFF, 97),
        *range(0xE0000, 0xE0200),
    ):
        category = unicodedata.category(chr(code))
        if taken.setdefault(category, 0) < 4:
            taken[category] += 1
            yield chr(code)
            yield f"a{chr(code)}b"
    for code in (
        0x00,
        0x1F,
        0x7F,
        0x80,
        0x85,
        0xA0,
        0xAD,
        0xD7FF,
        0xE000,
        0xFDD0,
        0xFEFF,
        0xFFFC,
        0xFFFD,
        0xFFFE,
        0xFFFF,
    ):
        yield f"x{chr(code)}"
    for code in (0x10000, 0x1F600, 0x1FFFF, 0x2FFFE, 0xF0000, 0x10FFFF):
        yield chr(code)
    for code in (0x200B, 0x200D, 0x200E, 0x202A, 0x202E, 0x2028, 0x2029, 0x2066, 0x2069):
        yield f"left{chr(code)}right"
    yield from ("\ud800", "\udfff", "a\udc80", "\ud83d\ude00"[:1], "\udc00\ud800")


def _pairs() -> Iterator[str]:
    """Texts that other programs take for one another."""
    for text in (
        "é",
        "Å",
        "ﬁ",
        "ǆ",
        "한",
        "ẛ̣",
        "Ω",
        "①",
        "ｱ",
        "½",
        "Straße",
        "ΣΊΣΥΦΟΣ",
        "İstanbul",
        "ığ",
        "ŉ",
        "𝔘",
    ):
        yield from (text, text.lower(), text.upper(), text.casefold(), text.swapcase())
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            yield unicodedata.normalize(form, text)
    for text in (
        "a",
        "a ",
        " a",
        "a\t",
        "a\u00a0",
        "a\u3000",
        "A",
        "á",
        "à",
        "а",
        "ɑ",
        "a\u0301",
        "a\u200b",
        "a\ufe0f",
    ):
        yield text
    yield from (
        "👩‍👩‍👧", "👍", "👍🏽", "🇬🇧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "e" + "\u0301" * 40, "שלום", "مرحبا abc", "ไทย", "ལྷ་ས", "中文", "𠀋",
    )  # fmt: skip


def _programs() -> Iterator[str]:
    """Texts that mean something to a database, a shell, a browser, a spreadsheet, a file system or a log."""
    yield from (
        "'", "''", '"', "`", "\\", "\\\\", "\\'", ";", "--", "/*", "*/", "#", "%", "%%", "_", "?", "$1", ":name",
        "@x", "{0}", "' OR '1'='1", "'; DROP TABLE record; --", '"; DROP TABLE record; --', "1; SELECT 1",
        "') UNION SELECT NULL--", "x' || 'y", "x%' ESCAPE '!", "NULL", "null", "None", "nil", "undefined", "NaN",
        "true", "TRUE", "DEFAULT", "E'\\x00'", "$$", "$tag$x$tag$", "\\x41", "\\u0041", "\\N", "\\.", "[a-z]*",
        "(?i)a", ".*", "^", "$", "(((((((", "a{1000}", "; ls", "$(id)", "`id`", "| cat", "&& true", "> x", "$HOME",
        "${HOME}", "%(x)s", "%s%n", "{{7*7}}", "<%= 1 %>", "${7*7}", "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>", "&lt;", "&#0;", "]]>", "<!--", "<!DOCTYPE x>", "javascript:x", "=1+1",
        "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "../x", "../../etc/passwd", "..", ".", "/", "//",
        "~", "C:\\x", "CON", "NUL", "aux.txt", "%2e%2e%2f", "file:///x", "x/../y", "x\\..\\y", "a:b", "a|b",
        "x.db", "x.db-wal", "-rf", "--help", "\r\nSet-Cookie: x", "a\nb", "a\rb", "a\r\nb", "\x1b[31mred", "\x07",
        "\x08\x08", "a\tb", "a\vb", "a\fb", "a\x1fb", "a\x7fb", '{"a": 1}', "[1]", '"x"', "{", "}", "[", "{}",
        "[]", "a,b", "a;b", "a=b&c=d", "key:value", "- x", "!!python/object", "*a", "acme", "other", "party",
        "record", "tenant", "__proto__", "constructor", "toString", "__class__", "self", "rowid", "id",
    )  # fmt: skip


def _numbers() -> Iterator[str]:
    """Texts that look like numbers, dates and ids."""
    yield from (
        "0", "-0", "00", "007", "1.0", "1e5", "1E400", "0x1F", "0b1", "1_000", "1,000.00", "١٢٣", "½", "Infinity",
        "-Infinity", "9007199254740993", "9223372036854775808", "340282366920938463463374607431768211456",
        "1" * 200, "2026-02-30", "1970-01-01", "00000001-0000-7000-8000-000000000000x",
        "00000001-0000-4000-8000-000000000000", "00000001000070008000000000000000", "+44 20",
    )  # fmt: skip


def _long() -> Iterator[str]:
    """Texts at and around the sizes that programs stop at."""
    for size in (63, 64, 65, 127, 128, 255, 256, 257, 512, 513):
        yield "x" * size
        yield "é" * (size // 2)
        yield "😀" * (size // 4)
    yield from (" " * 20, "\u3000" * 8, "(" * 200, "a" * 100 + "!", "\\" * 101)
