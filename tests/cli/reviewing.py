"""A file and a store of which much is doubtful, and decisions as a page saves them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

from tests.cli.commands import done, write

DOUBTFUL = """\
rec_id,full_name,phone
0a,Ann Lee,+44 20 7946 0018
0b,Jane Lee,+44 20 7946 0018
1a,Bo Hill,+44 20 7946 0019
1b,Rob Hill,+44 20 7946 0019
2a,Cy Moss,+44 20 7946 0020
2b,Di Moss,+44 20 7946 0020
"""
"""Three households: too much in common to pass over, too little to be one person."""

GIVEN = "Amara Boris Chloe Dario Edith Farid Gemma Hugo Irene Jonas Karin Leila Mateo Nadia Oscar".split()
FAMILY = "Abbott Brandt Castro Dvorak Egede Fabre Grieg Haddad Iversen Jansen Kimura Lindt Moreau".split()


def people(count: int = 200) -> str:
    """Invented people, every second of whom is recorded twice with little left: enough to learn a model from."""
    chance = Random(7)
    lines = ["rec_id,given_name,family_name,birth_date,email,city"]
    for number in range(count):
        given, family = chance.choice(GIVEN), chance.choice(FAMILY) + chance.choice(["", "er", "ov", "sen"])
        born = f"{chance.randrange(1940, 2004)}-{chance.randrange(1, 13):02}-{chance.randrange(2, 28):02}"
        mail = f"{given}.{family}{number}@{chance.choice(['mail', 'post', 'web'])}.example".lower()
        values = [given, family, born, mail, chance.choice("York Kiel Vigo Brno Lyon".split())]
        lines.append(",".join([f"{number}a", *values]))
        if number % 2 == 0:
            gaps = chance.sample([2, 3, 4], chance.choice([1, 2, 2]))
            again = ["" if at in gaps else value for at, value in enumerate(values)]
            lines.append(",".join([f"{number}b", given, family[1] + family[0] + family[2:], *again[2:]]))
    return "\n".join(lines) + "\n"


def page_of(path: Path) -> dict[str, Any]:
    """The data of a page."""
    found = re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def saved(page: dict[str, Any], path: Path, *verdicts: str, **more: Any) -> Path:
    """Write what the page saves when its items are decided so, in their order."""
    decisions = []
    for (id, kind, records, links, hidden), verdict in zip(page["items"], verdicts, strict=False):
        ids = [*(page["records"][at][0] for at in records), *hidden]
        decisions.append(
            {
                "item": id,
                "kind": "customer" if kind else "pair",
                "records": ids,
                "links": [link[:2] for link in links],
                "verdict": verdict,
                **({"apart": [ids[1]]} if kind and verdict == "different" else {}),
                **more,
            }
        )
    text = json.dumps({"format": "crmcore.decisions/1", "page": page["page"], "decisions": decisions})
    path.write_text(text, encoding="utf-8")
    return path


def doubtful_store(folder: Path) -> Path:
    """A store of the doubtful people, deduplicated."""
    store = folder / "crm.db"
    done("import", write(folder, DOUBTFUL), "--store", store, "--id-column", "rec_id")
    done("dedupe", "--store", store)
    return store
