"""WAV files: where their samples are."""

from __future__ import annotations

import os
from typing import BinaryIO

from domain.audio import Pcm, pcm_of
from domain.errors import Invalid

_MOST_CHUNKS = 1_000
_MOST_FORMAT = 1 << 16


def samples_of(file: BinaryIO) -> tuple[Pcm, int, int]:
    """How the samples of a WAV file are laid out, where they begin, and how many bytes they are.

    Raises:
        Invalid: it is no WAV file, or cut off, or has no samples.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise Invalid("It is no WAV file.")
    pcm, place = None, 12
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        name, length = (head := file.read(8))[:4], int.from_bytes(head[4:8], "little")
        if len(head) < 8:
            raise Invalid("It has no samples.")
        place += 8
        if place + length > size:
            raise Invalid("It is cut off.")
        if name == b"fmt ":
            pcm = pcm_of(file.read(min(length, _MOST_FORMAT)))
        elif name == b"data":
            if pcm is None:
                raise Invalid("Nothing says how its samples are laid out.")
            if length < pcm.frame:
                raise Invalid("It has no samples.")
            return pcm, place, length - length % pcm.frame
        place += length + length % 2
    raise Invalid("It has too many parts.")
