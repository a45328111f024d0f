from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crmcore.errors import InvalidMapping
from crmcore.exchange.mapping import ColumnMap, parse_pair
from crmcore.serde import dump, load
from tests.exchange.files import PEOPLE, mapped, prepared


def refusal(folder: Path, content: str = PEOPLE, **options: Any) -> str:
    with pytest.raises(InvalidMapping) as caught:
        prepared(folder, content, **options)
    return str(caught.value)


def test_what_is_sure_is_mapped_and_the_rest_kept(tmp_path: Path) -> None:
    found = prepared(tmp_path, PEOPLE).column_map
    assert mapped(found) == {
        "First name": "given_name",
        "Last name": "family_name",
        "E-mail": "email",
        "Phone": "phone",
        "Town": "city",
    }
    assert found.kept == ("Id", "Shoe size")
    assert found.source == "people"


def test_what_is_said_wins(tmp_path: Path) -> None:
    found = prepared(tmp_path, PEOPLE, columns=(("Town", "note"), ("Shoe size", "city"))).column_map
    assert (found.fields["city"], found.fields["note"]) == (("Shoe size",), ("Town",))


def test_a_column_can_be_left_alone(tmp_path: Path) -> None:
    assert "Phone" in prepared(tmp_path, PEOPLE, columns=(("Phone", "ignore"),)).column_map.kept


def test_a_column_is_found_whatever_its_case_and_spaces(tmp_path: Path) -> None:
    found = prepared(tmp_path, PEOPLE, columns=(("SHOE_SIZE", "note"),), id_column="id").column_map
    assert (found.fields["note"], found.id_column) == (("Shoe size",), "Id")


def test_two_columns_for_a_field_that_takes_one_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, columns=(("First name", "full_name"), ("Last name", "full_name"))) == (
        '"First name" and "Last name" are both mapped to full_name, which takes one column: choose one'
    )


def test_several_columns_for_a_field_that_takes_many_are_not(tmp_path: Path) -> None:
    found = prepared(tmp_path, PEOPLE, columns=(("Shoe size", "phone"), ("E-mail", "phone"))).column_map
    assert found.fields["phone"] == ("E-mail", "Phone", "Shoe size")


def test_one_column_for_two_fields_is_refused(tmp_path: Path) -> None:
    assert "choose one" in refusal(tmp_path, columns=(("Town", "city"), ("Town", "note")))
    assert "cannot be mapped" in refusal(tmp_path, columns=(("Id", "note"),), id_column="Id")


def test_an_unknown_field_is_refused_with_those_that_are(tmp_path: Path) -> None:
    told = refusal(tmp_path, columns=(("Town", "shoe"),))
    assert told.startswith("there is no field 'shoe': use one of full_name, given_name,")


@pytest.mark.parametrize(
    "options", [{"columns": (("Twon", "city"),)}, {"source_column": "Twon"}, {"id_column": "Twon"}]
)
def test_an_unknown_column_is_refused_with_the_nearest(tmp_path: Path, options: dict[str, Any]) -> None:
    assert refusal(tmp_path, **options) == "there is no column 'Twon': did you mean \"Town\"?"


def test_a_file_in_which_nothing_designates_anybody_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "colour,size\nred,4\n") == (
        "no column is mapped to a name, e-mail address or phone number: say which one is, with --map COLUMN=FIELD; "
        'the columns are "colour", "size"'
    )


def test_a_header_without_rows_is_mapped_by_its_names(tmp_path: Path) -> None:
    found = prepared(tmp_path, "name,email\n")
    assert mapped(found.column_map) == {"name": "full_name", "email": "email"}
    assert [notice.line for notice in found.notices] == [
        "! the file has a header but no rows: nothing to import"
    ]


def test_one_column_is_enough(tmp_path: Path) -> None:
    assert mapped(prepared(tmp_path, "email\nann@x.org\n").column_map) == {"email": "email"}


def test_rec_id_is_the_id_and_the_truth_is_dropped(tmp_path: Path) -> None:
    found = prepared(tmp_path, "rec_id,name,cluster\nr1,Ann Lee,7\nr2,Bo Ek,7\n").column_map
    assert (found.id_column, found.ignored, found.kept) == ("rec_id", ("cluster",), ())


@pytest.mark.parametrize(
    ("dates", "order", "mark"),
    [
        (["31/01/2013", "03/04/2013"], "dmy", None),
        (["01/31/2013", "03/04/2013"], "mdy", None),
        (["03/04/2013", "2013-04-03"], None, "?"),
        (["31/01/2013", "01/31/2013", "03/04/2013"], None, "!"),
        (["2013-04-03", "1985"], None, None),
    ],
)
def test_the_order_of_dates_is_proven_by_a_column_or_asked(
    tmp_path: Path, dates: list[str], order: str | None, mark: str | None
) -> None:
    found = prepared(tmp_path, "name,born\n" + "".join(f"Ann Lee,{date}\n" for date in dates))
    assert found.column_map.orders.get("born") == order
    assert [notice.mark for notice in found.notices] == ([mark] if mark else [])


def test_a_said_order_answers_the_question(tmp_path: Path) -> None:
    found = prepared(tmp_path, "name,born\nAnn Lee,03/04/2013\n", date_order="dmy")
    assert (found.column_map.orders["born"], found.notices) == ("dmy", ())


def test_proof_outvotes_a_said_order(tmp_path: Path) -> None:
    found = prepared(tmp_path, "name,born\nAnn Lee,01/31/2013\n", date_order="dmy")
    assert found.column_map.orders["born"] == "mdy"


def test_a_map_is_stored_and_read_back(tmp_path: Path) -> None:
    found = prepared(tmp_path, PEOPLE, id_column="Id", region="GB").column_map
    again = load(ColumnMap, dump(found))
    assert (again, again.digest) == (found, found.digest)


def test_another_map_has_another_digest(tmp_path: Path) -> None:
    assert (
        prepared(tmp_path, PEOPLE).column_map.digest
        != prepared(tmp_path, PEOPLE, region="GB").column_map.digest
    )


@pytest.mark.parametrize(
    ("text", "pair"),
    [("Filed on=contact_date", ("Filed on", "contact_date")), ("a=b=email", ("a=b", "email"))],
)
def test_a_pair_is_read(text: str, pair: tuple[str, str]) -> None:
    assert parse_pair(text) == pair


@pytest.mark.parametrize("text", ["", "email", "=email", "Town="])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(InvalidMapping, match="COLUMN=FIELD"):
        parse_pair(text)
