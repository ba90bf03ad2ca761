"""What is heard in recordings made by code, whose tempo, key and loudest stretch are known.

Whether half or double of a tempo is meant, no sound says for sure: of very fast pulses half the tempo is heard, and the
other one is told beside it.
"""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.audio import Pcm, wav_head
from domain.errors import Invalid
from graph.server.hearing import heard_of
from graph.server.sound import _analyze
from graph.server.tonality import KEYS

RATE = 22_050
MONO = Pcm(RATE, 1, 16, is_float=False)
CADENCE = (0, 5, 7, 0)
"""I, IV, V, I: no other key has these three chords with this one at both ends."""


def clicks(bpm: float, seconds: float, rate: int = RATE, first: float = 0.0) -> np.ndarray:
    """A click on every beat."""
    sound = np.zeros(round(seconds * rate))
    ticks = np.arange(round(0.02 * rate)) / rate
    click = 0.7 * np.exp(-ticks / 0.003) * np.sin(2 * np.pi * 1500 * ticks)
    for begin in np.arange(first, seconds - 0.02, 60 / bpm):
        place = round(begin * rate)
        sound[place : place + len(click)] += click
    return sound


def tone(pitch: float, seconds: float, rate: int = RATE) -> np.ndarray:
    """A tone with overtones, by its MIDI number, fading in and out."""
    times = np.arange(round(seconds * rate)) / rate
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hertz * n * times) / n for n in range(1, 5) if hertz * n < rate / 2)
    return 0.15 * wave * np.minimum(1, np.minimum(times / 0.01, (seconds - times) / 0.05))


def cadence(tonic: float, *, minor: bool, rate: int = RATE) -> np.ndarray:
    """Chords that leave no doubt; the fifth one is major in minor, too."""
    chords = []
    for step in CADENCE * 2:
        third = 3 if minor and step != 7 else 4
        chords.append(sum(tone(tonic + step + note, 1.0, rate) for note in (0, third, 7)))
    return np.concatenate(chords)


def scale(tonic: int, steps: tuple[int, ...]) -> np.ndarray:
    """Up and down, resting on the tonic and its fifth."""
    notes = [*steps, 12, *reversed(steps)]
    return np.concatenate([tone(tonic + step, 1.0 if step in {0, 7, 12} else 0.4) for step in notes])


def packed(sound: np.ndarray, pcm: Pcm) -> bytes:
    """A sound from -1 to 1 as samples of a file, the same in each channel."""
    wide = np.repeat(np.clip(sound, -1, 1), pcm.channels)
    if pcm.is_float:
        return wide.astype(f"<f{pcm.bits // 8}").tobytes()
    if pcm.bits == 8:
        return (np.rint(wide * 127) + 128).astype(np.uint8).tobytes()
    whole = np.rint(wide * (2 ** (pcm.bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : pcm.bits // 8].tobytes()


def heard(sound: np.ndarray, pcm: Pcm = MONO):
    """What is heard in it, and in it as a file."""
    data = packed(sound, pcm)
    told = heard_of(
        pcm, len(sound), [data[at : at + 9_000 * pcm.frame] for at in range(0, len(data), 9_000 * pcm.frame)]
    )
    assert told == _analyze(io.BytesIO(wav_head(pcm, len(data)) + data + b"\0" * (len(data) % 2)))
    return told


def noise(seconds: float, seed: int = 1, loud: float = 0.2) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, loud, round(seconds * RATE))


@pytest.mark.parametrize("bpm", [50, 60, 72.5, 80, 97.3, 110, 120, 128, 133.33, 140, 155, 165])
def test_a_tempo_that_people_tap_is_heard_as_it_is(bpm):
    musical = heard(clicks(bpm, 20))["musical"]
    assert musical["bpm"] == pytest.approx(bpm, rel=0.002)
    assert musical["other_bpm"] is None or musical["other_bpm"] == pytest.approx(bpm / 2, rel=0.002)
    assert musical["confidence"] > 0.7


@pytest.mark.parametrize("bpm", [175, 180, 190, 200, 220])
def test_of_a_tempo_nobody_taps_half_may_be_heard_and_the_other_one_is_told(bpm):
    musical = heard(clicks(bpm, 20))["musical"]
    assert max(musical["bpm"], musical["other_bpm"] or 0) == pytest.approx(bpm, rel=0.002)
    assert min(musical["bpm"], musical["other_bpm"] or bpm) == pytest.approx(bpm / 2, rel=0.002)


@settings(max_examples=15, deadline=None)
@given(st.floats(65, 160), st.floats(0, 0.5), st.integers(0, 99))
def test_a_pulse_is_heard_through_noise_wherever_it_begins(bpm, first, seed):
    musical = heard(clicks(bpm, 15, first=first) + noise(15, seed, 0.01))["musical"]
    assert musical["bpm"] == pytest.approx(bpm, rel=0.005)


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_is_heard_in_its_key(tonic, minor):
    musical = heard(cadence(60 + tonic, minor=minor))["musical"]
    assert musical["musical_key"] == KEYS[tonic + 12 * minor]
    assert musical["confidence"] > 0.3


@pytest.mark.parametrize(
    ("tonic", "steps", "key"),
    [
        (60, (0, 2, 4, 5, 7, 9, 11), "C major"),
        (62, (0, 2, 4, 5, 7, 9, 11), "D major"),
        (58, (0, 2, 4, 5, 7, 9, 11), "Bb major"),
        (69, (0, 2, 3, 5, 7, 8, 11), "A minor"),
        (66, (0, 2, 3, 5, 7, 8, 11), "F# minor"),
    ],
)
def test_a_scale_is_heard_in_its_key(tonic, steps, key):
    assert heard(scale(tonic, steps))["musical"]["musical_key"] == key


@pytest.mark.parametrize("cents", [-40, -20, 20, 40])
def test_instruments_need_not_be_tuned_to_440_hertz(cents):
    assert heard(cadence(60 + cents / 100, minor=False))["musical"]["musical_key"] == "C major"


def test_silence_has_a_length_and_nothing_else():
    told = heard(np.zeros(RATE * 40))
    assert told["timing"] == {
        "duration_ms": 40_000,
        "sample_rate": RATE,
        "channels": 1,
        "sound_start_ms": None,
        "sound_end_ms": None,
    }
    assert told["musical"] == {
        "bpm": None,
        "other_bpm": None,
        "musical_key": None,
        "energy": 0.0,
        "confidence": 0.0,
        "error": "There is nothing to hear in it.",
    }
    assert told["hook"] is None


@pytest.mark.parametrize("seconds", [0.5, 4, 20])
@pytest.mark.parametrize("seed", range(5))
def test_noise_has_neither_a_pulse_nor_a_key(seconds, seed):
    musical = heard(noise(seconds, seed))["musical"]
    assert (musical["bpm"], musical["musical_key"], musical["confidence"]) == (None, None, 0.0)
    assert musical["error"] == "Neither a steady pulse nor a key is heard in it."
    assert musical["energy"] == pytest.approx(1 + 20 * math.log10(0.2) / 60, abs=0.01)


@pytest.mark.parametrize("hertz", [55, 440, 441.7, 3_000])
def test_a_tone_that_does_not_move_has_neither_a_pulse_nor_a_key(hertz):
    musical = heard(0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE * 20) / RATE))["musical"]
    assert (musical["bpm"], musical["musical_key"]) == (None, None)


@pytest.mark.parametrize("frames", [1, 8, 22, 100, 600, 2_000])
@pytest.mark.parametrize("rate", [8_000, 22_050, 192_000])
def test_the_shortest_recordings_are_heard_too(rate, frames):
    told = heard(np.full(frames, 0.5), Pcm(rate, 1, 16, is_float=False))
    length = max(round(frames * 1000 / rate), 1)
    assert told["timing"]["duration_ms"] == length
    assert (told["timing"]["sound_start_ms"], told["timing"]["sound_end_ms"]) == (0, max(-(-frames * 1000 // rate), 1))
    assert (told["musical"]["bpm"], told["musical"]["musical_key"], told["hook"]) == (None, None, None)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_same_is_heard_at_every_rate_in_one_channel_or_two(rate, channels):
    sound = cadence(57, minor=True, rate=rate)
    sound += 0.5 * clicks(120, len(sound) / rate, rate)
    musical = heard(sound, Pcm(rate, channels, 16, is_float=False))["musical"]
    assert (musical["bpm"], musical["other_bpm"]) == (pytest.approx(120, rel=0.002), pytest.approx(60, rel=0.002))
    assert musical["musical_key"] == "A minor"


@pytest.mark.parametrize(
    ("bits", "is_float"), [(8, False), (16, False), (24, False), (32, False), (32, True), (64, True)]
)
def test_the_same_is_heard_in_every_kind_of_samples(bits, is_float):
    sound = cadence(60, minor=False) * 2
    musical = heard(sound, Pcm(RATE, 1, bits, is_float=is_float))["musical"]
    assert musical["musical_key"] == "C major"
    assert musical["energy"] == pytest.approx(heard(sound)["musical"]["energy"], abs=0.005)


@given(st.integers(0, 5_000), st.integers(1, 5_000), st.integers(0, 5_000), st.sampled_from([0.0011, 0.5, 1.0]))
@settings(max_examples=30, deadline=None)
def test_the_timing_layer_says_exactly_where_there_is_sound(before, during, after, loud):
    sound = np.concatenate([np.zeros(before), np.full(during, loud), np.zeros(after)])
    timing = heard(sound)["timing"]
    assert timing["sound_start_ms"] == before * 1000 // RATE
    assert timing["sound_end_ms"] == max(-(-(before + during) * 1000 // RATE), 1)


def test_the_channels_of_a_sound_that_cancel_each_other_are_heard_to_sound():
    left = np.rint(clicks(120, 5) * 32_767).astype("<i2")
    data = np.stack([left, -left], axis=1).tobytes()
    timing = heard_of(Pcm(RATE, 2, 16, is_float=False), len(left), [data])["timing"]
    assert timing["sound_start_ms"] == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_sample_that_is_no_number_is_no_sound(value):
    with pytest.raises(Invalid):
        heard_of(Pcm(RATE, 1, 32, is_float=True), 2, [np.array([0.5, value], "<f4").tobytes()])


@pytest.mark.parametrize("begins_s", [0, 31, 55])
def test_a_hook_is_where_it_is_loudest_and_begins_on_a_beat(begins_s):
    sound = 0.3 * clicks(100, 90, first=0.35)
    loud = slice(round(begins_s * RATE), round((begins_s + 35) * RATE))
    sound[loud] = sound[loud] * 2 + noise(35, loud=0.05)
    hook = heard(sound)["hook"]
    assert begins_s * 1000 - 350 <= hook["start_ms"] <= (begins_s + 5) * 1000 + 350
    beats = (hook["start_ms"] - 350) / 600
    assert begins_s == 0 or abs(beats - round(beats)) * 600 <= 25
    assert 0.5 < hook["confidence"] <= 1


def test_a_hook_fits_into_its_recording():
    assert heard(clicks(120, 30))["hook"] is None
    sound = clicks(120, 31)
    sound[: RATE * 20] *= 0.1
    assert heard(sound)["hook"]["start_ms"] <= 1_000


def test_what_does_not_stand_out_is_suggested_with_little_confidence():
    hook = heard(noise(60))["hook"]
    assert 0 <= hook["confidence"] < 0.05
    steady = 0.3 * np.sin(2 * np.pi * 440 * np.arange(90 * RATE) / RATE)
    # It begins a little softer than it goes on: the first stretch is about as loud as any, and softer than most.
    steady[:RATE] *= 0.97
    assert heard(steady)["hook"]["confidence"] == 0
