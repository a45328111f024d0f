"""Stores over stores: each takes a store and is one, with one more promise."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.storage.wrappers.call import Call
    from crmcore.storage.wrappers.passing import Passing
    from crmcore.storage.wrappers.read_only import ReadOnly
    from crmcore.storage.wrappers.retrying import Retrying, blocking
    from crmcore.storage.wrappers.sync import wrapped
    from crmcore.storage.wrappers.tracing import Traced, Tracing

__all__ = ["Call", "Passing", "ReadOnly", "Retrying", "Traced", "Tracing", "blocking", "wrapped"]

__getattr__ = lazily(
    __name__,
    {
        "call": "Call",
        "passing": "Passing",
        "read_only": "ReadOnly",
        "retrying": "Retrying blocking",
        "tracing": "Traced Tracing",
        "sync": "wrapped",
    },
)
