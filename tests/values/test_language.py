"""Laws of language tags."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidLanguage, InvalidValue
from crmcore.values.language import Language, language_tag
from tests.values.strategies import HOSTILE, languages, texts
from tests.values.timing import cpu_seconds

_TAGS = st.from_regex(
    r"[a-zA-Z]{2,3}([-_][a-zA-Z]{4})?([-_]([a-zA-Z]{2}|[0-9]{3}))?([-_][a-z]{5,8})?(-u-ca-[a-z]{3,8})?(-x-[a-z0-9]{1,8})?",
    fullmatch=True,
)


@given(_TAGS | languages().map(lambda language: language.tag))
@settings(max_examples=200)
def test_parsing_the_tag_again_gives_the_same_language(text: str) -> None:
    language = Language.parse(text)
    assert Language.parse(language.tag) == language
    assert Language.from_json(language.to_json()) == language
    assert hash(Language.parse(language.tag)) == hash(language)


@given(_TAGS)
@settings(max_examples=200)
def test_case_and_underscores_do_not_matter(text: str) -> None:
    for variant in (text.upper(), text.lower(), text.replace("_", "-"), text.swapcase()):
        assert Language.parse(variant) == Language.parse(text)


@given(texts(max_size=20))
@settings(max_examples=200)
def test_a_text_is_a_tag_or_refused(text: str) -> None:
    try:
        tag = Language.parse(text).tag
    except InvalidLanguage:
        return
    assert tag.isascii()
    assert "_" not in tag


@pytest.mark.parametrize(
    ("text", "tag", "script", "region"),
    [
        ("en", "en", None, None),
        ("EN_gb", "en-GB", None, "GB"),
        ("ZH-hANT-tw", "zh-Hant-TW", "Hant", "TW"),
        ("es-419", "es-419", None, "419"),
        ("zh-cmn-hans-cn", "zh-cmn-Hans-CN", "Hans", "CN"),
        ("DE-ch-1996", "de-CH-1996", None, "CH"),
        ("sl-ROZAJ-biske", "sl-rozaj-biske", None, None),
        ("en-US-u-CA-gregory", "en-US-u-ca-gregory", None, "US"),
        ("de-x-Latn", "de-x-latn", None, None),
        ("X-Klingon", "x-klingon", None, None),
    ],
)
def test_tags_are_written_in_their_customary_case(
    text: str, tag: str, script: str | None, region: str | None
) -> None:
    language = Language.parse(text)
    assert (language.tag, language.script, language.region) == (tag, script, region)
    assert language.language == tag.partition("-")[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "type"),
        ("", "empty"),
        ("e", "malformed"),
        ("english-language-of-somewhere", "malformed"),
        ("a-DE", "malformed"),
        ("en-", "malformed"),
        ("en--GB", "malformed"),
        ("en GB", "malformed"),
        ("en-GB\nfr", "malformed"),
        ("de-1996-1996", "repeated"),
        ("d\u0435", "characters"),
        ("\u212a\u212a", "characters"),
        ("en" + "-abcde" * 20, "too_long"),
        ("en\ud800", "surrogate"),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidLanguage) as caught:
        Language.parse(text)
    assert caught.value.reason == reason


def test_a_field_without_language_stays_without() -> None:
    assert language_tag(None) is None
    assert language_tag("VI") == "vi"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_values_or_refused_as_values(text: str) -> None:
    try:
        Language.parse(text)
    except InvalidValue as error:
        str(error).encode()


@pytest.mark.parametrize("text", ["en-" * 3_000_000, "x" * 10_000_000])
def test_an_enormous_text_ends_at_once(text: str) -> None:
    def attempt() -> None:
        with pytest.raises(InvalidLanguage):
            Language.parse(text)

    assert cpu_seconds(attempt) < 0.05
