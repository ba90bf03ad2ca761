"""`--hypothesis-profile=laws` tries every law of the domain on 10,000 examples instead of 100."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("laws", max_examples=10_000, deadline=None)
