"""crmcore backup, restore, verify and erasures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crmcore import Crm
from tests.app.requests import Clock
from tests.app.test_erased_noes import erased
from tests.cli.backups import damage, erase_everything
from tests.cli.commands import done, looked_at, refused, store_of


def test_what_was_backed_up_is_there_again(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    told = done("backup", store, tmp_path / "b").out
    assert told.startswith("backed up 1 tenant: ")
    done("restore", tmp_path / "b", tmp_path / "second.db")
    for name in ("Ann", "Bo"):
        assert (
            done("show", name, "--store", tmp_path / "second.db").out
            == done("show", name, "--store", store).out
        )
    assert "nothing is wrong" in done("verify", tmp_path / "second.db").out
    again = done("backup", tmp_path / "second.db", tmp_path / "c", "--json").json
    assert (
        again["manifest"]["multiset"] == done("verify", tmp_path / "b", "--json").json["backup"]["multiset"]
    )


def test_a_damaged_backup_makes_no_store(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    done("backup", store, tmp_path / "b")
    data = bytearray((tmp_path / "b").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "bad").write_bytes(data)
    for command in (("verify", tmp_path / "bad"), ("restore", tmp_path / "bad", tmp_path / "new.db")):
        assert "damaged" in refused(*command)
    assert not (tmp_path / "new.db").exists()


def test_what_was_erased_since_is_erased_again(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    done("backup", store, tmp_path / "b")
    erase_everything(store)
    (tmp_path / "erasures.jsonl").write_text(done("erasures", store).out, encoding="utf-8")
    for option, file in (("--erasures", "erasures.jsonl"), ("--erasures-of", store.name)):
        second = tmp_path / f"{option}.db"
        assert "1 erasure done again" in done("restore", tmp_path / "b", second, option, tmp_path / file).out
        assert "a store of 0 records" in done("verify", second).out
        assert done("erasures", second).out == done("erasures", store).out
        assert b"ann@x.org" not in second.read_bytes()


def test_what_was_written_beside_the_erasure_of_a_person_is_said_not_to_be_carried_over(
    tmp_path: Path,
) -> None:
    store, second = store_of(tmp_path), tmp_path / "second.db"
    done("backup", store, tmp_path / "b")
    with Crm.open(str(store), clock=Clock()) as crm:
        (ann,) = crm.parties.find(email="ann@x.org")
        erased(crm, ann.id)
    told = looked_at("restore", tmp_path / "b", second, "--erasures-of", store, "--json")
    assert told.json["people"] == 1
    assert "1 person was erased by crm.requests or crm.retention" in told.err
    assert "crm.requests.erase_again()" in told.err
    again = done("restore", tmp_path / "b", second, "--erasures-of", store, "--erasures-only", "--json")
    assert again.json["people"] == 0  # nothing was done by it


def test_a_file_of_erasures_may_have_been_through_an_editor(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    done("backup", store, tmp_path / "b")
    erase_everything(store, reason="asked by letter\u2028and\x85by mail\x0bon paper")
    lines = done("erasures", store).out.replace("\n", "\r\n")
    (tmp_path / "erasures").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    told = done("restore", tmp_path / "b", tmp_path / "second.db", "--erasures", tmp_path / "erasures").out
    assert "1 erasure done again" in told


def test_a_restore_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    store, second = store_of(tmp_path), tmp_path / "second.db"
    done("backup", store, tmp_path / "b")
    erase_everything(store)
    done("restore", tmp_path / "b", second)  # as if it had been cut off here
    more = ("--erasures-of", store, "--erasures-only")
    assert "something in this store already" in refused("restore", tmp_path / "b", second, *more[:2])
    for times in ("1 erasure", "0 erasures"):
        assert f"{times} done again" in done("restore", tmp_path / "b", second, *more).out
    assert b"ann@x.org" not in second.read_bytes()


def test_a_backup_that_is_sealed_is_opened_with_its_key(tmp_path: Path) -> None:
    store, key = store_of(tmp_path), tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    sealed = ("--key-file", key)
    done("backup", store, tmp_path / "b", *sealed)
    for command in (("verify", tmp_path / "b"), ("restore", tmp_path / "b", tmp_path / "new.db")):
        assert "is sealed with a key" in refused(*command)
        done(*command, *sealed)
    key.write_bytes(b"short")
    assert "16 bytes" in refused("verify", tmp_path / "b", *sealed)
    assert "cannot be read" in refused("verify", tmp_path / "b", "--key-file", tmp_path / "none")


@pytest.mark.parametrize("text", ["{}", "[1]", "qanary", '{"tenant":"a"}', "[" * 100_000])
def test_a_file_that_holds_no_erasures_is_refused_before_a_store_is_made(tmp_path: Path, text: str) -> None:
    done("backup", store_of(tmp_path), tmp_path / "b")
    (tmp_path / "erasures").write_text(f"\n{text}\n", encoding="utf-8")
    said = refused("restore", tmp_path / "b", tmp_path / "new.db", "--erasures", tmp_path / "erasures")
    assert "line 2" in said
    assert "qanary" not in said
    assert not (tmp_path / "new.db").exists()


def test_a_store_with_a_problem_is_to_be_looked_at(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    damage(store)
    told = looked_at("verify", store)
    assert "key_missing" in told.out
    assert looked_at("verify", store, "--json").json["problems"][0]["code"] == "key_missing"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    done("backup", store, tmp_path / "b")
    before = (tmp_path / "b").read_bytes()
    assert "already" in refused("backup", store, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == before
    refused("backup", store, store)
    refused("restore", tmp_path / "b", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == before
    assert "already" in refused("restore", tmp_path / "b", store)


def test_what_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for command in (
        ("backup", tmp_path / "none.db", tmp_path / "b"),
        ("verify", tmp_path / "none"),
        ("verify", tmp_path),
        ("restore", tmp_path / "none", tmp_path / "new.db"),
        ("erasures", tmp_path / "none.db"),
        ("backup", store, tmp_path / "none" / "b"),
    ):
        refused(*command)
    assert sorted(os.listdir(tmp_path)) == sorted({"crm.db", "people.csv"} & set(os.listdir(tmp_path)))
