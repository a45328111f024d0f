"""Texts in Arrow arrays: numbered, told apart and taken to pieces without a Python object for each.

Invariant: an array of texts has no missing value; what is missing is the empty text.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.model.content import BASE, COLUMN, WORD

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Numbers = NDArray[np.uint64]
Levels = NDArray[np.uint8]
Flags = NDArray[np.bool_]

THREADS = min(os.cpu_count() or 1, 8)
_WORTH = 1 << 15
_TEXTS = 1 << 13
_RECORDS = 1 << 15

_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


In = TypeVar("In")
Out = TypeVar("Out")
P = ParamSpec("P")


class _Alone(Executor):
    """Does what it is given at once: few records are done before threads have begun."""

    def submit(self, fn: Callable[P, Out], /, *args: P.args, **kwargs: P.kwargs) -> Future[Out]:
        done: Future[Out] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def workers(records: int) -> Executor:
    """What does the work on so many records: threads, since Arrow and numpy let them run beside one another."""
    return ThreadPoolExecutor(THREADS) if THREADS > 1 and records >= _WORTH else _Alone()


def each(work: Callable[[In], Out], parts: Iterable[In], records: int) -> list[Out]:
    """The *work* done on each of the parts, which are of so many records, on several at once."""
    with workers(records) as pool:
        return list(pool.map(work, parts))


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of circular references meanwhile: there are none in what is made by the million here, and
    it would look through all of that time and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def released() -> None:
    """Give back the memory that Arrow and the C library keep for later."""
    pa.default_memory_pool().release_unused()
    _trim()()


@cache
def _trim() -> Callable[[], object]:
    """What has the C library give back memory, where it is one that can: many threads leave much of it unused."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            return partial(trim, 0)
    return int


class Texts(Sequence[Any]):
    """The values of a column by code, none for 0: texts of an Arrow array, each made when it is asked for."""

    def __init__(self, content: Any, form: Callable[[str], Any] = str) -> None:
        self.content, self.form = content, form

    def take(self, codes: Longs) -> Texts:
        """The values at some codes."""
        return Texts(self.content.take(pa.array(codes)), self.form)

    def at(self, codes: Longs) -> list[Any]:
        """The values at some codes, of which none is 0."""
        return [self.form(text) for text in self.content.take(pa.array(codes)).to_pylist()]

    def __len__(self) -> int:
        return len(self.content)

    @overload
    def __getitem__(self, code: int) -> Any: ...
    @overload
    def __getitem__(self, code: slice) -> Sequence[Any]: ...
    def __getitem__(self, code: int | slice) -> Any:
        if isinstance(code, slice):
            codes = range(*code.indices(len(self)))
            texts = self.content[code].to_pylist()
            return [self.form(text) if at else None for at, text in zip(codes, texts, strict=True)]
        return self.form(self.content[code].as_py()) if code else None


def values_at(values: Sequence[Any], codes: Longs) -> list[Any]:
    """The values at some codes, of which none is 0."""
    return values.at(codes) if isinstance(values, Texts) else [values[code] for code in codes.tolist()]


def flags(array: Any) -> Flags:
    """An array of truths, for numpy."""
    found: Flags = array.to_numpy(zero_copy_only=False)
    return found


def texts_of(values: Iterable[str]) -> Any:
    """An array of texts; lone surrogates, which no text that was read has, are replaced."""
    known = list(values)
    try:
        return pa.array(known, type=pa.large_string())
    except UnicodeEncodeError:
        return pa.array([text.encode("utf-8", "replace").decode() for text in known], type=pa.large_string())


def flat(array: Any) -> Any:
    """An array of texts of the type that all have here."""
    return pc.fill_null(array.cast(pa.large_string()), "")


def parts_of(array: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of all texts, and where each begins; the end last."""
    array = flat(array)
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    raw = np.zeros(0, dtype=np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return raw[bounds[0] : bounds[-1]], bounds - bounds[0]


def distinct(array: Any) -> tuple[Any, Ints]:
    """The different texts, and for each place which of them it has."""
    if pa.types.is_dictionary(array.type) and any(part.dictionary.null_count for part in _chunks(array)):
        # Nothing as a value of a dictionary is nothing in Arrow's own functions only now and then.
        array = array.cast(pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        # Encoded as one: to unify the dictionaries of chunks takes longer than all the rest.
        chunks = (
            [chunk.cast(pa.large_string()) for chunk in array.chunks] if array.nbytes >> 30 else array.chunks
        )
        array = pa.concat_arrays(chunks) if chunks else pa.array([], type=pa.large_string())
    if array.null_count:
        array = pc.fill_null(array, "")
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    return array.dictionary.cast(pa.large_string()), array.indices.to_numpy(zero_copy_only=False).astype(
        np.int32
    )


def _chunks(array: Any) -> list[Any]:
    chunks: list[Any] = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return chunks


def compress(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], Ints]:
    """The different numbers, as they come, and for each place which of them it has. Hashing beats sorting tenfold."""
    found = pa.array(values).dictionary_encode()
    return found.dictionary.to_numpy(zero_copy_only=False), found.indices.to_numpy(zero_copy_only=False)


def firsts(which: Ints, count: int) -> NDArray[np.int64]:
    """For each of so many different values where it comes first."""
    found = np.zeros(count, dtype=np.int64)
    found[which[::-1]] = np.arange(len(which) - 1, -1, -1)
    return found


def ids_of(array: Any) -> tuple[Ints, int, Any]:
    """For each text an id, 0 for the empty one; how many ids there are, and the texts by id."""
    known, which = distinct(pa.concat_arrays([texts_of([""]), flat(array)]))
    return which[1:], len(known), known


def numbers_of(array: Any) -> Numbers:
    """The number of each text, as `crmcore.identity.model.content.number_of` has it."""
    data, offsets = parts_of(array)
    powers = np.empty(int(np.diff(offsets).max(initial=0)), dtype=np.uint64)
    power = BASE
    for at in range(len(powers)):
        powers[at] = power
        power = power * BASE & WORD
    total = np.zeros(len(offsets) - 1, dtype=np.uint64)
    # As many at once as the cache holds.
    for start in range(0, len(total), _TEXTS):
        bounds = offsets[start : start + _TEXTS + 1]
        lengths = np.diff(bounds)
        filled = np.nonzero(lengths)[0]
        if len(filled):
            begins, mine = bounds[:-1] - bounds[0], data[bounds[0] : bounds[-1]]
            place = np.arange(len(mine)) - np.repeat(begins, lengths)
            digits = (mine.astype(np.uint64) + np.uint64(1)) * powers[place]
            total[start + filled] = np.add.reduceat(digits, begins[filled])
    return mixed(total)


def mixed(number: Numbers) -> Numbers:
    """Numbers mixed, as `crmcore.identity.model.content.mix` does."""
    number = (number ^ number >> np.uint64(30)) * _FIRST
    number = (number ^ number >> np.uint64(27)) * _SECOND
    return number ^ number >> np.uint64(31)


def record_numbers(kinds: Numbers, columns: Sequence[tuple[Numbers, Ints]]) -> Numbers:
    """The numbers of records of kinds with these numbers; of each column the number of each code, and the codes."""
    found = np.empty(len(kinds), dtype=np.uint64)

    def number(start: int) -> None:
        part = slice(start, start + _RECORDS)
        mine = kinds[part]
        for at, (numbers, codes) in enumerate(columns):
            mine = mixed(mine ^ (numbers[codes[part]] + np.uint64((at + 1) * COLUMN & WORD)))
        found[part] = mine

    each(number, range(0, len(kinds), _RECORDS), len(kinds))
    return found


def any_bits(numbers: Numbers, offsets: NDArray[np.int64], shift: int) -> Numbers:
    """For each stretch of numbers one with a bit for each of them."""
    bits = np.uint64(1) << (numbers >> np.uint64(shift) & np.uint64(63))
    found = np.zeros(len(offsets) - 1, dtype=np.uint64)
    filled = np.nonzero(np.diff(offsets))[0]
    if len(filled):
        found[filled] = np.bitwise_or.reduceat(bits, offsets[:-1][filled])
    return found
