"""From a history to its anomalies: a pure function, so that it can be tested on histories made by hand.

Invariant: a history that some order of its batches explains has no anomaly; each anomaly names what was read or
written, and no order explains it. The method is that of list-append: an object is a list of tokens, no token is
written twice, so that what is read tells which writes had happened, and in which order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from crmcore.testing.history.events import Anomaly, Attempt, History, Look, Observed
from crmcore.testing.history.graph import RW, WR, WW, Graph, in_time


def anomalies(history: History) -> tuple[Anomaly, ...]:
    """What is wrong with *history*: nothing, if it is empty.

    Names: ``G0``, ``G1a``, ``G1b``, ``G1c``, ``G-single``, ``G2`` (with ``-realtime``, as in `graph`); ``LostUpdate``
    (two batches wrote over the same reading), ``LostWrite`` (acknowledged and gone), ``Torn`` (a part of a batch is
    there), ``Doubled``, ``Unwritten`` (read, but nobody wrote it), ``Reordered`` (two readings cannot both be).

    >>> from crmcore.testing.history.events import Wrote
    >>> one = Attempt(0, 1, 2, "a", (), (Wrote("x", ("a/1",)),), "applied")
    >>> anomalies(History((one,), final=(Observed("x", ("a/1",)),)))
    ()
    >>> anomalies(History((one,), final=(Observed("x", ()),)))[0].name
    'LostWrite'
    """
    return tuple(_Checked(history).anomalies())


class _Checked:
    def __init__(self, history: History) -> None:
        self.history = history
        self.writer = {
            token: attempt
            for attempt in history.attempts
            for wrote in attempt.writes
            for token in wrote.tokens
        }
        self.last = {
            token: wrote.tokens[-1]
            for attempt in history.attempts
            for wrote in attempt.writes
            for token in wrote.tokens
        }
        self.orders: dict[str, tuple[str, ...]] = {}
        for seen in self._readings():
            if len(seen.tokens) > len(self.orders.get(seen.object, ())):
                self.orders[seen.object] = seen.tokens
        known = {token for order in self.orders.values() for token in order}
        self.happened = [
            attempt
            for attempt in history.attempts
            if attempt.fate == "applied" or (attempt.fate == "unknown" and _tokens(attempt) & known)
        ]

    def _readings(self) -> Iterator[Observed]:
        for attempt in self.history.attempts:
            if attempt.fate == "applied":
                yield from attempt.reads
        for look in self.history.looks:
            yield from look.reads
        yield from self.history.final

    def anomalies(self) -> Iterator[Anomaly]:
        yield from dict.fromkeys(self._misread())
        yield from self._lost()
        yield from self._overwritten()
        yield from self._graph().anomalies()

    def _misread(self) -> Iterator[Anomaly]:
        for object_, tokens in self._readings():
            for token, times in Counter(tokens).items():
                if times > 1:
                    yield Anomaly("Doubled", f"{token} is in {object_} {times} times")
                if token not in self.writer:
                    yield Anomaly("Unwritten", f"{token} was read of {object_}, and nobody wrote it")
                elif self.writer[token].fate == "refused":
                    yield Anomaly("G1a", f"{token} was read of {object_}, and its batch was refused")
            if tokens and self.last.get(tokens[-1], tokens[-1]) != tokens[-1]:
                yield Anomaly("G1b", f"{object_} was read in the middle of a batch, after {tokens[-1]}")
            if tokens != self.orders.get(object_, ())[: len(tokens)]:
                yield Anomaly("Reordered", f"{object_} was read in two orders that cannot both be")

    def _lost(self) -> Iterator[Anomaly]:
        final = {seen.object: set(seen.tokens) for seen in self.history.final}
        for attempt in self.happened:
            due = {token for wrote in attempt.writes if wrote.object in final for token in wrote.tokens}
            gone = {
                token
                for wrote in attempt.writes
                if wrote.object in final
                for token in wrote.tokens
                if token not in final[wrote.object]
            }
            if gone and attempt.fate == "applied":
                yield Anomaly("LostWrite", f"{', '.join(sorted(gone))} was acknowledged and is not there")
            elif gone and gone != due:
                yield Anomaly("Torn", f"{', '.join(sorted(gone))} is not there, the rest of its batch is")

    def _overwritten(self) -> Iterator[Anomaly]:
        over: dict[Observed, list[str]] = defaultdict(list)
        for attempt in self.happened:
            wrote = {one.object for one in attempt.writes}
            for seen in attempt.reads:
                if seen.object in wrote:
                    over[seen].append(attempt.idem)
        for seen, batches in over.items():
            if len(batches) > 1:
                yield Anomaly(
                    "LostUpdate", f"{' and '.join(batches)} wrote {seen.object} over the same reading"
                )

    def _graph(self) -> Graph:
        graph = Graph()
        nodes = {attempt.idem: graph.node(attempt.idem) for attempt in self.happened}
        for object_, order in self.orders.items():
            for before, after in pairwise(order):
                pair = self._node(nodes, before), self._node(nodes, after)
                if None not in pair:
                    graph.edge(*pair, WW, object_)  # type: ignore[arg-type]  # neither is None
        for attempt in self.happened:
            self._reader(graph, nodes, nodes[attempt.idem], attempt)
        for number, look in enumerate(self.history.looks):
            if any(seen.tokens for seen in look.reads):
                self._reader(graph, nodes, graph.node(f"read-{look.process}-{number}"), look)
        in_time(
            graph,
            [
                (nodes[one.idem], one.begun, one.ended if one.fate == "applied" else None)
                for one in self.happened
            ],
        )
        return graph

    def _reader(self, graph: Graph, nodes: Mapping[str, int], node: int, reader: Attempt | Look) -> None:
        for object_, tokens in reader.reads:
            order = self.orders.get(object_, ())
            if tokens != order[: len(tokens)]:
                continue  # said already, and no order to draw
            if tokens and (before := self._node(nodes, tokens[-1])) is not None:
                graph.edge(before, node, WR, object_)
            if len(order) > len(tokens) and (after := self._node(nodes, order[len(tokens)])) is not None:
                graph.edge(node, after, RW, object_)

    def _node(self, nodes: Mapping[str, int], token: str) -> int | None:
        attempt = self.writer.get(token)
        return None if attempt is None else nodes.get(attempt.idem)


def _tokens(attempt: Attempt) -> set[str]:
    return {token for wrote in attempt.writes for token in wrote.tokens}
