"""For all tests: hypothesis tries the same examples at every run, so that a change and not luck turns a test red."""

import hypothesis

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")
