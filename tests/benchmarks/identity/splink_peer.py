"""splink beside, where it is installed: comparisons as its documentation advises, trained without labels.

It is measured at the threshold of 0.95 that its guides use, and at the one that is best on the truth of this very file.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crmcore.identity import evaluate

_USUAL = 0.95
_TRIED = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)
_BLOCKED = (
    "birth_date",
    "email",
    "phone",
    "family_name",
    "given_name",
    "street",
    "postcode",
    "national_id",
    "org_name",
)


def grouped(rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, list[Any], float]]:
    """The names of the settings, the groups found by them, and the seconds that took; nothing without splink."""
    try:
        import splink  # type: ignore[import-not-found,unused-ignore]  # a peer, not a dependency
    except ImportError:
        return
    logging.disable(logging.CRITICAL)
    truth = [row["cluster"] for row in rows]
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            linker = _trained(rows)
            predictions = linker.inference.predict(threshold_match_probability=_TRIED[0])
            usual = _labels(linker, predictions, _USUAL, len(rows))
            spent = time.perf_counter() - start
            found = {limit: _labels(linker, predictions, limit, len(rows)) for limit in _TRIED}
        except Exception as error:  # a peer that cannot be trained on a file is no reason to stop
            print(f"  splink {splink.__version__}: {type(error).__name__}")
            return
        finally:
            logging.disable(logging.NOTSET)
    yield f"splink {splink.__version__} at {_USUAL}", usual, spent
    best = max(_TRIED, key=lambda limit: evaluate(found[limit], truth, examples=0).pairs.f1 or 0.0)
    yield f"splink {splink.__version__} at its best, {best}", found[best], spent


def _trained(rows: Sequence[Mapping[str, str]]) -> Any:
    import pandas  # type: ignore[import-not-found,import-untyped,unused-ignore]  # a peer
    from splink import (  # type: ignore[import-not-found,unused-ignore]  # a peer
        DuckDBAPI,
        Linker,
        SettingsCreator,
        block_on,
    )

    columns = [name for name in rows[0] if name not in ("rec_id", "cluster")]
    records = pandas.DataFrame(
        [{"rec_id": at, **{name: row[name] or None for name in columns}} for at, row in enumerate(rows)]
    )
    used = {name for name in columns if records[name].notna().sum() > 1}
    blocked = [block_on(name) for name in _BLOCKED if name in used]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="rec_id",
        blocking_rules_to_generate_predictions=blocked,
        comparisons=_comparisons(used),
    )
    database = DuckDBAPI()
    if hasattr(database, "register"):  # from splink 5 on
        linker = Linker(database.register(records), settings)
    else:
        linker = Linker(records, settings, db_api=database)
    exact = [
        rule
        for name, rule in zip(_in(used), blocked, strict=True)
        if name in ("email", "phone", "national_id")
    ]
    pairs = [
        block_on(*pair) for pair in (("given_name", "family_name", "birth_date"),) if used.issuperset(pair)
    ]
    linker.training.estimate_probability_two_random_records_match([*exact, *pairs] or blocked[:1], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in blocked[:3]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return linker


def _in(used: set[str]) -> list[str]:
    return [name for name in _BLOCKED if name in used]


def _comparisons(used: set[str]) -> list[Any]:
    import splink.comparison_library as cl  # type: ignore[import-not-found,unused-ignore]  # a peer

    chosen: list[Any] = []
    if {"given_name", "family_name"} <= used:
        chosen.append(cl.ForenameSurnameComparison("given_name", "family_name"))
    else:
        chosen += [cl.NameComparison(name) for name in ("given_name", "family_name") if name in used]
    chosen += [cl.NameComparison(name) for name in ("full_name", "org_name", "employer") if name in used]
    if "birth_date" in used:
        chosen.append(cl.DateOfBirthComparison("birth_date", input_is_string=True))
    if "email" in used:
        chosen.append(cl.EmailComparison("email"))
    chosen += [
        cl.LevenshteinAtThresholds(name) for name in ("phone", "national_id", "postcode") if name in used
    ]
    chosen += [cl.JaroWinklerAtThresholds(name) for name in ("street",) if name in used]
    exact = ("city", "street_no", "region", "country", "occupation")
    return chosen + [cl.ExactMatch(name) for name in exact if name in used]


def _labels(linker: Any, predictions: Any, limit: float, count: int) -> list[Any]:
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predictions, threshold_match_probability=limit
    ).as_pandas_dataframe()
    label = dict(zip(clusters["rec_id"], clusters["cluster_id"], strict=True))
    return [label[at] for at in range(count)]
