"""Laws of personal names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidLanguage, InvalidName, InvalidValue
from crmcore.serde import dump, load
from crmcore.values.person_name import NamePart, PersonName, parse_parts
from crmcore.values.text import clean
from tests.values.strategies import HOSTILE, languages, person_names, visible_texts, wordings, words
from tests.values.timing import cpu_seconds

_BEETHOVEN = {"given": "Ludwig", "particle": "van", "family": "Beethoven"}


@given(visible_texts() | wordings())
@settings(max_examples=200)
def test_parsing_the_full_name_again_gives_the_same_name(text: str) -> None:
    name = PersonName.parse(text)
    assert PersonName.parse(name.full) == name
    assert hash(PersonName.parse(name.full)) == hash(name)
    assert name.full == clean(text)
    assert name.parts == ()


@given(person_names())
@settings(max_examples=150)
def test_json_loses_nothing(name: PersonName) -> None:
    assert load(PersonName, dump(name)) == name


@given(wordings())
@settings(max_examples=150)
def test_both_normal_forms_are_one_name(text: str) -> None:
    composed = PersonName.parse(unicodedata.normalize("NFC", text))
    decomposed = PersonName.parse(unicodedata.normalize("NFD", text))
    assert composed == decomposed
    assert composed.key == decomposed.key


@given(person_names())
@settings(max_examples=200)
def test_every_form_of_a_name_says_something(name: PersonName) -> None:
    for form in (name.short(), name.formal(), name.sort(), name.key):
        assert form.strip()


@given(visible_texts() | wordings())
@settings(max_examples=100)
def test_without_parts_every_form_is_the_full_name(text: str) -> None:
    name = PersonName.parse(text)
    assert name.short() == name.formal() == name.sort() == name.full
    assert name.given is None
    assert name.family is None


@given(visible_texts() | wordings(), st.none() | languages().map(lambda language: language.tag))
@settings(max_examples=250)
def test_guessing_parts_never_changes_the_full_name(text: str, language: str | None) -> None:
    guess = parse_parts(text, language)
    for name in (guess.name, *guess.alternatives):
        assert name.full == PersonName.parse(text).full
        assert name.language == language
        assert all(part.text in name.full for part in name.parts if "(" not in name.full)
    assert (guess.confidence == "none") == (guess.name.parts == ())


@given(st.lists(words(), min_size=2, max_size=2), st.sampled_from(["given_first", "family_first"]))
@settings(max_examples=100)
def test_parts_are_kept_in_written_order(pair: list[str], order: str) -> None:
    given_name, family = pair
    name = PersonName.from_parts(given=given_name, family=family, order=order)  # type: ignore[arg-type]  # sampled
    texts = [part.text for part in name.parts]
    assert texts == ([given_name, family] if order == "given_first" else [family, given_name]) or clean(
        "".join(pair)
    )
    assert (name.given, name.family) == (clean(given_name), clean(family))
    places = [name.full.index(text) for text in texts]
    assert places == sorted(places)


def test_a_mononym_is_itself_in_every_form() -> None:
    for name in (
        PersonName.parse("Sukarno"),
        PersonName(full="Sukarno", parts=(NamePart("mononym", "Sukarno"),)),
        PersonName.from_parts(given="Sukarno"),
    ):
        assert (name.full, name.short(), name.formal(), name.sort()) == ("Sukarno",) * 4


def test_korean_parts_join_without_a_space_and_stay_whole() -> None:
    name = PersonName.from_parts(given="민준", family="김", order="family_first", language="ko")
    assert name.full == name.short() == name.sort() == "김민준"
    titled = PersonName.from_parts(given="민준", family="김", honorific="씨", order="family_first")
    assert titled.full == "김민준씨"
    assert titled.formal() == "김씨"


def test_a_vietnamese_is_called_and_sorted_by_the_given_name() -> None:
    name = PersonName.from_parts(
        family="Nguyễn", middle="Thị Minh", given="Khai", honorific="Bà", order="family_first", language="vi"
    )
    assert name.full == "Bà Nguyễn Thị Minh Khai"
    assert name.short() == "Khai"
    assert name.formal() == "Bà Khai"
    assert name.sort() == "Khai, Nguyễn Thị Minh"


def test_two_surnames_sort_together() -> None:
    name = PersonName.from_parts(given="María del Carmen", family="García", family2="Lorca", language="es")
    assert name.full == "María del Carmen García Lorca"
    assert name.sort() == "García Lorca, María del Carmen"
    assert name.family == "García Lorca"


def test_icelanders_sort_by_the_given_name() -> None:
    patronymic = PersonName(
        full="Björk Guðmundsdóttir",
        parts=(NamePart("given", "Björk"), NamePart("patronymic", "Guðmundsdóttir")),
        order="given_first",
    )
    assert patronymic.sort() == "Björk Guðmundsdóttir"
    as_family = PersonName.from_parts(given="Björk", family="Guðmundsdóttir", language="is", honorific="Frú")
    assert as_family.sort() == "Björk Guðmundsdóttir"
    assert as_family.formal() == "Frú Björk"
    assert PersonName.from_parts(given="Björk", family="Guðmundsdóttir").sort() == "Guðmundsdóttir, Björk"


@pytest.mark.parametrize(
    ("parts", "language", "expected"),
    [
        (_BEETHOVEN, None, "van Beethoven, Ludwig"),
        (_BEETHOVEN, "de", "van Beethoven, Ludwig"),
        (_BEETHOVEN, "nl", "Beethoven, Ludwig van"),
        (_BEETHOVEN, "nl-NL", "Beethoven, Ludwig van"),
        (_BEETHOVEN, "nl-BE", "van Beethoven, Ludwig"),
        ({"given": "Johann", "particle": "von", "family": "Goethe"}, "de", "Goethe, Johann von"),
        ({"given": "Johann", "particle": "von", "family": "Goethe"}, "en", "von Goethe, Johann"),
        ({"given": "Alfred", "particle": "de", "family": "Musset"}, "fr", "Musset, Alfred de"),
        ({"given": "Alfred", "particle": "d'", "family": "Orsay"}, "fr", "Orsay, Alfred d'"),
        ({"given": "Jean", "particle": "La", "family": "Fontaine"}, "fr", "La Fontaine, Jean"),
        ({"given": "João", "particle": "da", "family": "Silva"}, "pt-BR", "Silva, João da"),
        (
            {"given": "Martin", "middle": "Luther", "family": "King", "generation": "Jr."},
            "en",
            "King, Martin Luther, Jr.",
        ),
        ({"honorific": "Dr", "given": "Ann", "family": "Lee", "credential": "PhD"}, None, "Lee, Ann"),
        ({"family": "Lee"}, None, "Lee"),
        ({"family": "Nagy", "given": "János", "order": "family_first"}, "hu", "Nagy János"),
    ],
)
def test_registers_sort_by_the_custom_of_the_language(
    parts: dict[str, str], language: str | None, expected: str
) -> None:
    assert PersonName.from_parts(language=language, **parts).sort() == expected  # type: ignore[arg-type]  # by keyword


@pytest.mark.parametrize(
    ("parts", "full", "formal", "short"),
    [
        ({"honorific": "Dr", "given": "Kofi", "family": "Osei"}, "Dr Kofi Osei", "Dr Osei", "Kofi"),
        ({"given": "Kofi", "family": "Osei"}, "Kofi Osei", "Kofi Osei", "Kofi"),
        ({"honorific": "Mama", "given": "Grace"}, "Mama Grace", "Mama Grace", "Grace"),
        ({"given": "Ann", "particle": "d'", "family": "Artagnan"}, "Ann d'Artagnan", "Ann d'Artagnan", "Ann"),
        ({"given": "Ann", "family": "Lee", "credential": "PhD"}, "Ann Lee, PhD", "Ann Lee, PhD", "Ann"),
        ({"family": "O'Neill", "generation": "Jr."}, "O'Neill Jr.", "O'Neill Jr.", "O'Neill Jr."),
        ({"honorific": "Mr", "family": "Lee"}, "Mr Lee", "Mr Lee", "Mr Lee"),
        ({"honorific": "Dr"}, "Dr", "Dr", "Dr"),
        ({"family": "Nagy", "given": "Éva", "order": "family_first", "language": "hu"}, "Nagy Éva", "Nagy Éva", "Éva"),
        ({"given": "Ann", "family": "Lee", "full": "LEE Ann", "order": "as_written"}, "LEE Ann", "LEE Ann", "Ann"),
        ({"given": " ", "family": "Lee", "middle": None}, "Lee", "Lee", "Lee"),
    ],
)  # fmt: skip
def test_forms_of_address(parts: dict[str, str], full: str, formal: str, short: str) -> None:
    name = PersonName.from_parts(**parts)  # type: ignore[arg-type]  # by keyword
    assert (name.full, name.formal(), name.short()) == (full, formal, short)


def test_an_east_slavic_letter_opens_with_name_and_patronymic() -> None:
    assert parse_parts("Сидоров Иван Петрович", "ru").name.formal() == "Иван Петрович"


def test_a_nickname_serves_when_there_is_nothing_else() -> None:
    name = PersonName(full="„Django“", parts=(NamePart("nickname", "Django"),), use="nickname")
    assert name.short() == "Django"
    assert name.sort() == name.formal() == "„Django“"


def test_a_full_name_that_is_given_decides_the_order_of_the_parts() -> None:
    name = PersonName.from_parts(
        given="Ludwig", particle="van", family="Beethoven", full="Beethoven, Ludwig van"
    )
    assert [part.kind for part in name.parts] == ["family", "given", "particle"]
    assert name.full == "Beethoven, Ludwig van"


_GUESSES = [
    ("Sukarno", None, "low", "mononym=Sukarno"),
    ("김민준", None, "high", "family=김 given=민준"),
    ("남궁민수", None, "medium", "family=남궁 given=민수"),
    ("毛泽东", "zh", "medium", "family=毛 given=泽东"),
    ("毛泽东", None, "none", ""),
    ("山田 太郎", None, "high", "family=山田 given=太郎"),
    ("毛泽东 / Mao Zedong", None, "none", ""),
    ("Mao Zedong", "zh", "medium", "family=Mao given=Zedong"),
    ("محمد علی", None, "none", ""),
    ("...", None, "none", ""),
    ("Nguyễn Thị Minh Khai", "vi", "high", "family=Nguyễn middle=Thị Minh given=Khai"),
    ("María del Carmen García Lorca", "es", "medium", "given=María del Carmen family=García family2=Lorca"),
    ("Björk Guðmundsdóttir", "is", "high", "given=Björk patronymic=Guðmundsdóttir"),
    ("Иван Петрович Сидоров", None, "high", "given=Иван patronymic=Петрович family=Сидоров"),
    ("Ludwig van Beethoven", None, "medium", "given=Ludwig particle=van family=Beethoven"),
    ("Eddie Van Halen", None, "medium", "given=Eddie particle=Van family=Halen"),
    ("Beethoven, Ludwig van", None, "high", "family=Beethoven given=Ludwig particle=van"),
    ("van Beethoven, Ludwig", None, "high", "particle=van family=Beethoven given=Ludwig"),
    ("MIZUNO, HIROYUKI", None, "high", "family=MIZUNO given=HIROYUKI"),
    ("O'Neill, Jr.", None, "low", "family=O'Neill generation=Jr."),
    ("O'Neill, Shaun, Jr.", None, "high", "family=O'Neill given=Shaun generation=Jr."),
    ("Smith, John Q., M.D.", None, "high", "family=Smith given=John middle=Q. credential=M.D."),
    ("Smith, John Jr.", None, "high", "family=Smith given=John generation=Jr."),
    ("Smith, Mr", None, "medium", "family=Smith honorific=Mr"),
    ("Mr Smith", None, "medium", "honorific=Mr family=Smith"),
    ("Dr. med. Eva Müller, MD", None, "medium", "honorific=Dr. honorific=med. given=Eva family=Müller credential=MD"),
    ("Martin Luther King Jr.", None, "low", "given=Martin middle=Luther family=King generation=Jr."),
    ('William "Bill" Clinton', None, "medium", "given=William nickname=Bill family=Clinton"),
    ("X Æ A-12", None, "low", "given=X middle=Æ family=A-12"),
    ("Prince", None, "low", "mononym=Prince"),
    ("a, b, c, d", None, "none", ""),
]  # fmt: skip


@pytest.mark.parametrize(("full", "language", "confidence", "parts"), _GUESSES)
def test_guesses_at_names(full: str, language: str | None, confidence: str, parts: str) -> None:
    guess = parse_parts(full, language)
    assert guess.confidence == confidence
    assert " ".join(f"{part.kind}={part.text}" for part in guess.name.parts) == parts


def test_two_words_may_also_be_family_first() -> None:
    (other,) = parse_parts("Kim Minjun").alternatives
    assert (other.family, other.given) == ("Kim", "Minjun")


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "type"), ("", "empty"), (" \n", "empty"), ("\u200b\x00", "empty"), ("x" * 513, "too_long"),
     ("a\ud800", "surrogate")],
)  # fmt: skip
def test_refusals_say_why(text: str, reason: str) -> None:
    for make in (PersonName.parse, parse_parts, lambda full: PersonName(full=full)):
        with pytest.raises(InvalidName) as caught:
            make(text)
        assert caught.value.reason == reason


def test_a_name_made_by_hand_is_checked_too() -> None:
    with pytest.raises(InvalidName):
        NamePart("first", "Ann")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidName):
        PersonName(full="Ann", order="backwards")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidName):
        PersonName(full="Ann", use="stage")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidName):
        PersonName(full="Ann", parts=("Ann",))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidName):
        PersonName.from_parts(given=" ", family=None)
    with pytest.raises(InvalidName):
        PersonName.from_parts(given="x" * 300, family="y" * 300)
    with pytest.raises(InvalidLanguage):
        PersonName(full="Ann", language="e")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_values_or_refused_as_values(text: str) -> None:
    for make in (PersonName.parse, parse_parts, lambda full: PersonName.from_parts(given=full, family=full)):
        try:
            made = make(text)
        except InvalidValue as error:
            str(error).encode()
        else:
            name = made if isinstance(made, PersonName) else made.name
            for form in (name.full, name.key, name.short(), name.sort(), name.formal()):
                form.encode()


def test_repr_and_str_show_nothing() -> None:
    guess = parse_parts("Kim Minjun")
    for value in (guess, guess.name, *guess.alternatives, *guess.name.parts):
        for shown in (repr(value), str(value), f"{value}"):
            assert "Kim" not in shown
            assert "Minjun" not in shown


def test_the_same_text_parsed_twice_costs_once() -> None:
    assert PersonName.parse("Ann Lee") is PersonName.parse(" Ann Lee ")
    assert parse_parts("Ann Lee") is parse_parts("Ann Lee")


@pytest.mark.parametrize("unit", ["x", "Mc ", ", ", "de ", "(", "김", "\u0301"])
def test_an_enormous_text_ends_at_once(unit: str) -> None:
    text = "A" + unit * (10_000_000 // len(unit))

    def attempt() -> None:
        for make in (PersonName.parse, parse_parts):
            with pytest.raises(InvalidName):
                make(text)

    assert cpu_seconds(attempt) < 0.05


@pytest.mark.parametrize(
    "unit", ["x", "Mc ", ", ", "de ", "(", '" ', "'", "Jr. ", "A, ", "김", "\u0301", "dr "]
)
def test_the_longest_name_is_read_at_once(unit: str) -> None:
    variants = iter("ABC")  # a new text each time, past the cache

    def attempt() -> None:
        parse_parts((next(variants) + unit * 512)[:511].strip()).name.sort()

    assert cpu_seconds(attempt) < 0.05
