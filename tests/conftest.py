"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# On a busy machine everything takes long: no test asserts a time.
settings.register_profile("unizone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unizone")
