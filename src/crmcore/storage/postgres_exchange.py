"""Round trips to PostgreSQL: statements that are sent as one message and answered as one, whatever their number.

Invariant: everything is turned into bytes before the first of it is sent, so that what cannot be sent leaves the
connection as it was. Of the statements after one that fails none is run, and the error is that of the one that failed.
A statement is taken for prepared when the server has said that it is, and not before.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from psycopg import OperationalError
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, PipelineStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import TextLoader
from psycopg.waiting import Ready, Wait

Row = tuple[Any, ...]
Waits = Generator[Wait, Ready, list[list[Row]]]

_PREPARED = (b"SELECT", b"WITH", b"INSERT", b"BEGIN", b"COMMIT")
"""What a statement begins with that is prepared when it comes often; what reads from a cursor changes its columns."""
_OFTEN = 3
_MOST = 200


class _Arrays(Dumper):
    """A list as the text of an array, for a statement that says of what type; psycopg's own looks at each element."""

    def dump(self, obj: list[Any]) -> bytes:
        return ("{" + ",".join(map(_element, obj)) + "}").encode()


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, str):
        if "\\" in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    return str(value)


class _Sent(NamedTuple):
    """A statement as bytes. *name*: under which it is prepared, or None; *new*: it is to be prepared now."""

    text: bytes
    values: list[Any] | None
    types: tuple[int, ...]
    formats: list[Any] | None
    name: bytes | None
    new: bool


class Exchange:
    """The round trips of one connection, one after the other."""

    def __init__(self, pgconn: PGconn, context: AdaptContext) -> None:
        self._pgconn = pgconn
        # One type for every integer, so that a statement is prepared once; ids stay texts.
        context.adapters.register_dumper(int, Int8Dumper)
        context.adapters.register_loader("uuid", TextLoader)
        context.adapters.register_dumper(list, _Arrays)
        self._values = Transformer.from_context(context)
        self._seen: dict[tuple[bytes, tuple[int, ...]], int] = {}
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self._number = 0

    def run(self, asked: Sequence[tuple[bytes, Sequence[Any]]]) -> Waits:
        """Send these statements with their parameters, and give the rows of each."""
        pgconn = self._pgconn
        every = [self._sent(text, parameters) for text, parameters in asked]
        pgconn.enter_pipeline_mode()
        for one in every:
            _send(pgconn, one)
        pgconn.pipeline_sync()
        yield from _flushed(pgconn)
        answers = yield from self._answers(every)
        pgconn.exit_pipeline_mode()
        for result in answers:
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result)
        return [self._rows(result) for result in answers]

    def begin(self, text: bytes, parameters: Sequence[Any]) -> Generator[Wait, Ready, None]:
        """Send a statement whose rows are taken by `some`, until there are no more."""
        pgconn, one = self._pgconn, self._sent(text, parameters)
        pgconn.enter_pipeline_mode()  # at whose end one row at a time is no longer what is given
        pgconn.send_query_params(one.text, one.values, list(one.types) or None, one.formats)
        pgconn.pipeline_sync()
        pgconn.set_single_row_mode()
        yield from _flushed(pgconn)

    def some(self, rows: int, weight: int) -> Generator[Wait, Ready, list[Row]]:
        """The next rows of what was begun, so many at most, and no more when they weigh that much."""
        found: list[Row] = []
        while len(found) < rows and weight > 0 and self._pgconn.pipeline_status == PipelineStatus.ON:
            result = yield from _next(self._pgconn)
            if result is None:
                yield from _next(self._pgconn)  # what says that the server waits for more
                self._pgconn.exit_pipeline_mode()
            elif result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result)
            elif result.status == ExecStatus.SINGLE_TUPLE:
                self._values.set_pgresult(result)
                found += self._values.load_rows(0, 1, tuple)
                weight -= sum(len(value) for value in found[-1] if isinstance(value, (str, bytes)))
        return found

    def _answers(self, every: Sequence[_Sent]) -> Generator[Wait, Ready, list[PGresult]]:
        """The result of each statement, or of its preparation, if that failed."""
        answers: list[PGresult] = []
        for one in every:
            result: PGresult | None = None
            if one.new and one.name is not None:
                result = yield from _result(self._pgconn)
                if result.status == ExecStatus.COMMAND_OK:
                    self._names[one.text, one.types] = one.name
            answer = yield from _result(self._pgconn)
            refused = result is not None and result.status == ExecStatus.FATAL_ERROR
            answers.append(result if refused and result is not None else answer)
        yield from _next(self._pgconn)  # what says that the server waits for more
        return answers

    def _sent(self, text: bytes, parameters: Sequence[Any]) -> _Sent:
        adapt = self._values
        values: list[Any] | None = None
        types: tuple[int, ...] = ()
        formats: list[Any] | None = None
        if parameters:
            values = list(adapt.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters)))
            types, formats = adapt.types or (), list(adapt.formats or ())
        key = text, types
        name = self._names.get(key)
        if name is not None or not text.startswith(_PREPARED):
            return _Sent(text, values, types, formats, name, new=False)
        seen = self._seen[key] = self._seen.get(key, 0) + 1
        if seen < _OFTEN or len(self._names) >= _MOST:
            return _Sent(text, values, types, formats, None, new=False)
        self._number += 1
        return _Sent(text, values, types, formats, b"crmcore_%d" % self._number, new=True)

    def _rows(self, result: PGresult) -> list[Row]:
        if result.status != ExecStatus.TUPLES_OK:
            return []
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, tuple)


def _send(pgconn: PGconn, one: _Sent) -> None:
    if one.name is None:
        pgconn.send_query_params(one.text, one.values, list(one.types) or None, one.formats)
        return
    if one.new:
        pgconn.send_prepare(one.name, one.text, list(one.types) or None)
    pgconn.send_query_prepared(one.name, one.values, one.formats)


def _flushed(pgconn: PGconn) -> Generator[Wait, Ready, None]:
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:  # the server may wait for us to read what it says
            pgconn.consume_input()


def _next(pgconn: PGconn) -> Generator[Wait, Ready, PGresult | None]:
    while pgconn.is_busy():
        yield Wait.R
        pgconn.consume_input()
    return pgconn.get_result()


def _result(pgconn: PGconn) -> Generator[Wait, Ready, PGresult]:
    """The result of what was sent next, which the server ends with nothing."""
    result = yield from _next(pgconn)
    if result is None or (yield from _next(pgconn)) is not None:
        raise OperationalError("the connection to the server is lost")
    return result
