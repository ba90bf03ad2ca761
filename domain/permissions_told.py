"""What may be done with a work, told in the words of other standards, all out of one table.

RSL 1.0, AIPREF's `Content-Usage`, Cloudflare's `Content-Signal`, TDMRep, ODRL 2.2 and CAWG 1.1. None of them is ever
more permissive than what was decided: what is to be licensed or asked for is never told as allowed, and what is not
known is denied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from domain.rights import Outcome, Use

RSL = "https://rslstandard.org/rsl"
TERMS = "https://casset.example/ns/uses#"
"""Names of uses that no standard has."""
OWN = "example.casset"
"""The same, where names are domains the other way round."""
ODRL = "http://www.w3.org/ns/odrl/2/"
TDM = "http://www.w3.org/ns/tdmrep#"


class Words(NamedTuple):
    """What a use is called; None where a standard has no word, and nothing is said.

    Attributes:
        rsl: the token of `usage`; COMMERCIAL_USE is said of users instead.
        aipref: the label of `Content-Usage`.
        signal: the word of `Content-Signal`.
        odrl: the action, and what it is part of where it is our own.
        cawg: the labels of entries.
    """

    rsl: str | None
    aipref: str | None
    signal: str | None
    odrl: tuple[str, str | None]
    cawg: tuple[str, ...]


WORDS: Mapping[Use, Words] = {
    Use.REMIX: Words("casset:remix", None, None, (f"{TERMS}remix", f"{ODRL}derive"), (f"{OWN}.remix",)),
    Use.STEMS: Words("casset:stems", None, None, (f"{ODRL}extract", None), (f"{OWN}.stems",)),
    Use.SYNC: Words("casset:sync", None, None, (f"{ODRL}synchronize", None), (f"{OWN}.sync",)),
    Use.VISUAL_REUSE: Words("casset:visual-reuse", None, None, (f"{ODRL}include", None), (f"{OWN}.visual_reuse",)),
    Use.AI_TRAINING: Words(
        "ai-train",
        "train-ai",
        "ai-train",
        (f"{TDM}mine", None),
        ("cawg.ai_generative_training", "cawg.ai_training"),
    ),
    Use.AI_GENERATION: Words(
        "ai-input", "ai-use", "ai-input", (f"{TERMS}ai-generation", f"{ODRL}derive"), ("cawg.ai_inference",)
    ),
    Use.DERIVATIVE_REGISTRATION: Words(
        "casset:register-derivative",
        None,
        None,
        (f"{TERMS}register-derivative", f"{ODRL}derive"),
        (f"{OWN}.register_derivative",),
    ),
    Use.COMMERCIAL_USE: Words(None, None, None, (f"{ODRL}commercialize", f"{ODRL}use"), (f"{OWN}.commercial_use",)),
}


class Permissions(NamedTuple):
    """What is decided of a work, whoever asks.

    Attributes:
        outcomes: of each use the strictest of both layers.
        attributed: whose work it is must be named.
    """

    outcomes: Mapping[Use, Outcome]
    attributed: bool = False

    def of(self, use: Use) -> Outcome:
        """What is told of a use: what is not known, or not decided, is denied."""
        said = self.outcomes.get(use, Outcome.DENIED)
        return Outcome.DENIED if said is Outcome.UNKNOWN else said


NOTHING = Permissions({})
"""What is told of everything together: no more than the strictest of all."""


def content_usage(told: Permissions) -> str:
    """The field `Content-Usage` (draft-ietf-aipref-attach-05): what is not allowed outright is `n`."""
    return _listed({words.aipref: told.of(use) for use, words in WORDS.items() if words.aipref}, "y", "n")


def content_signal(told: Permissions) -> str:
    """The line `Content-Signal`; of search, which no policy speaks of, it says nothing."""
    return _listed({words.signal: told.of(use) for use, words in WORDS.items() if words.signal}, "yes", "no")


def _listed(said: Mapping[str | None, Outcome], yes: str, no: str) -> str:
    return ", ".join(f"{word}={yes if said[word] is Outcome.ALLOWED else no}" for word in sorted(map(str, said)))


def reservation(told: Permissions, policy: str) -> dict[str, str]:
    """The headers of TDMRep: reserved unless training is allowed; with a policy where somebody can agree to it."""
    said = told.of(Use.AI_TRAINING)
    if said is Outcome.ALLOWED:
        return {"tdm-reservation": "0"}
    return {"tdm-reservation": "1"} | ({} if said is Outcome.DENIED else {"tdm-policy": policy})


def rsl(told: Permissions, content: str, quote: str, contact: str) -> bytes:
    """A document of RSL 1.0: each decision is a license of its own, and no token stands in two.

    Args:
        told: what is decided.
        content: the address of what it is about.
        quote: where a license is asked for.
        contact: where the owner is asked.
    """
    root = Element("rsl", {"xmlns": RSL, "xmlns:casset": TERMS})
    holder = SubElement(root, "content", {"url": content})
    commercial = told.of(Use.COMMERCIAL_USE)
    for outcome in (Outcome.ALLOWED, Outcome.LICENSE_REQUIRED, Outcome.CONTACT_OWNER, Outcome.DENIED):
        tokens = [words.rsl for use, words in WORDS.items() if words.rsl and told.of(use) is outcome]
        for kind, words in (("usage", tokens), ("user", ["commercial"] if commercial is outcome else [])):
            if not words or (kind == "user" and outcome is Outcome.ALLOWED):
                continue
            license_ = SubElement(holder, "license")
            verb = "prohibits" if outcome is Outcome.DENIED else "permits"
            SubElement(license_, verb, {"type": kind}).text = " ".join(words)
            if outcome is Outcome.ALLOWED and commercial is not Outcome.ALLOWED:
                SubElement(license_, "permits", {"type": "user"}).text = "non-commercial"
            _pay(license_, outcome, told, quote, contact)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root) + b"\n"


def _pay(license_: Element, outcome: Outcome, told: Permissions, quote: str, contact: str) -> None:
    if outcome is Outcome.ALLOWED:
        SubElement(license_, "payment", {"type": "attribution" if told.attributed else "free"})
    elif outcome is Outcome.LICENSE_REQUIRED:
        SubElement(SubElement(license_, "payment", {"type": "purchase"}), "custom").text = quote
    elif outcome is Outcome.CONTACT_OWNER:
        SubElement(SubElement(license_, "payment"), "custom").text = contact


def odrl(told: Permissions, uid: str, target: str, assigner: str) -> dict[str, Any]:
    """An offer of ODRL 2.2 as JSON-LD: what is to be licensed is owed a payment, what is to be asked for a consent."""
    permitted, prohibited = [], []
    for use, words in WORDS.items():
        rule = {"target": target, "assigner": assigner, "action": _action(words)}
        match told.of(use):
            case Outcome.ALLOWED:
                duties = [{"action": f"{ODRL}attribute"}] if told.attributed else []
                permitted.append({**rule, "duty": duties} if duties else rule)
            case Outcome.LICENSE_REQUIRED:
                permitted.append({**rule, "duty": [{"action": f"{ODRL}compensate"}]})
            case Outcome.CONTACT_OWNER:
                permitted.append({**rule, "duty": [{"action": f"{ODRL}obtainConsent"}]})
            case _:
                prohibited.append(rule)
    offer = {"@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Offer", "uid": uid, "profile": TERMS}
    return offer | {name: rules for name, rules in (("permission", permitted), ("prohibition", prohibited)) if rules}


def _action(words: Words) -> Any:
    name, part_of = words.odrl
    return name if part_of is None else {"@id": name, "includedIn": part_of}


def cawg(told: Permissions, quote: str, contact: str) -> dict[str, Any]:
    """An assertion of CAWG (training and data mining 1.1), as C2PA takes it into what is said of a file.

    `constrained` without saying by what counts as `notAllowed`: it leads to where a license is asked for, or the owner.
    """
    entries = {label: _entry(told.of(use), quote, contact) for use, words in WORDS.items() for label in words.cawg}
    return {"label": "cawg.training-mining", "data": {"entries": entries}}


def _entry(said: Outcome, quote: str, contact: str) -> dict[str, str]:
    match said:
        case Outcome.ALLOWED:
            return {"use": "allowed"}
        case Outcome.LICENSE_REQUIRED:
            return {"use": "constrained", "constraint_info": quote}
        case Outcome.CONTACT_OWNER:
            return {"use": "constrained", "constraint_info": contact}
        case _:
            return {"use": "notAllowed"}
