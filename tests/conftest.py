"""Settings for all tests: no deadlines, since a slow moment of the machine is no error."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "crmcore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("crmcore")
