"""For all tests: hypothesis judges what code does, not how long a busy machine takes."""

from hypothesis import settings

settings.register_profile("surplus", deadline=None)  # a hang is caught by pytest's own timeout
settings.load_profile("surplus")
