"""Every store that ships keeps every guarantee, in both colours."""

from __future__ import annotations

import attrs

from crmcore.testing import conformance
from crmcore.testing.shipped import SHIPPED

test_memory = conformance(**attrs.asdict(SHIPPED["memory"]))
test_async_memory = conformance(**attrs.asdict(SHIPPED["async memory"]))
test_sqlite = conformance(**attrs.asdict(SHIPPED["sqlite"]))
test_async_sqlite = conformance(**attrs.asdict(SHIPPED["async sqlite"]))
