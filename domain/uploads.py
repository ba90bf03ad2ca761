"""Uploads that go to the store by themselves, and what becomes of bytes that nothing names."""

from __future__ import annotations

import re
from datetime import timedelta

from domain.assets import MediaRole
from domain.errors import Invalid
from domain.ids import Ref
from domain.media import LARGEST_UPLOAD, Format, check_role, check_target

ADDRESS_LASTS = timedelta(hours=1)
"""How long something may be sent to an address."""
STAGED_LASTS = timedelta(hours=24)
"""How long what was sent waits to be finished."""
MOST_STAGED = 100
"""Uploads of one account that wait to be finished."""
SWEEP_EVERY = timedelta(days=1)
YOUNG = timedelta(hours=24)
"""Bytes that came since may be about to be named."""
GRACE = timedelta(days=7)
"""How long bytes are known to be named by nothing before they are removed."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def check_staged(of: Ref, role: MediaRole, sha256: str, byte_size: int) -> None:
    """Whether somebody may begin to send a file like that.

    Raises:
        Invalid: nothing may be uploaded in that role, it is too large, or it is not said well what will come.
    """
    check_target(of, role)
    check_role(role, _ANY.get(role, Format.OTHER))
    if _SHA256.fullmatch(sha256) is None:
        raise Invalid("A SHA-256 is 64 hexadecimal digits, in small letters.", path=("sha256",))
    if not 1 <= byte_size <= LARGEST_UPLOAD:
        raise Invalid(f"A file has 1 to {LARGEST_UPLOAD} bytes.", path=("byteSize",))


_ANY = {MediaRole.MASTER: Format.WAV, MediaRole.COVER: Format.PNG, MediaRole.LOOP: Format.MP4}
"""A format that the role takes: what really comes is seen when it has come."""
