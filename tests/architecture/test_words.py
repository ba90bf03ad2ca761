"""The public words: worlds, hooks, rituals and rooms lead; some others are never said at all."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.commands import casset, help_texts
from tests.architecture.tree import none_of, text_of

# Words that name another product. `token` and `edition` have honest meanings too (session token, deluxe
# edition): they are refused only beside the words that make them money.
NEVER = re.compile(
    r"""\b(
      agent-?\ ?readable\ infrastructure | ai-?\ ?powered
    | rights\ dashboards? | shader\ editors? | growth\ platforms?
    | tokeni[sz]ed | tokenomics | coins? | nfts? | cryptocurrenc(y|ies) | airdrops? | collectibles?
    | tokens?[- ](sales?|holders?|prices?|supply|swaps?|launch(es)?|econom(y|ies)|gated|gating|drops?)
    | (fan|social|community|creator|governance|utility|(non-?)?fungible)\ tokens?
    | (buy|sell|trade|stake)(s|ing)?\ (\w+\ )?tokens?
    | trading | trade?able | traders? | market\ ?places? | (open|primary|secondary|stock|prediction)\ markets?
    | (limited|numbered|collectors?'?s?|on-?\ ?chain)\ editions?
    | editions?\ of\ \d+ | edition\ (sales?|drops?)
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
MACHINE_WORD = re.compile(
    r"\b(machine|agent|program|api|graphql|graph|schema|asset|manifest|metadata|rights|permission|provenance"
    r"|lineage|database|server|query|rest|mcp|sql|json)s?\b",
    re.IGNORECASE,
)


def refused(text: str) -> list[str]:
    """The refused words of a text, read across line ends and inside camelCase and SNAKE_CASE names."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s_]+", " ", text)
    return [match.group() for match in NEVER.finditer(apart)]


@pytest.mark.parametrize("name", ["README.md", "schema.graphql"])
def test_a_public_text_says_no_refused_word(name: str) -> None:
    none_of([f"{name} says {word!r}" for word in refused(text_of(name))])


def test_the_help_of_casset_says_no_refused_word() -> None:
    none_of([f"--help says {word!r}: {text}" for text in help_texts(casset()) for word in refused(text)])


def test_no_error_says_a_refused_word() -> None:
    strings = [
        node.value
        for node in ast.walk(ast.parse(text_of("domain/errors.py")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    none_of([f"domain/errors.py says {word!r}: {text}" for text in strings for word in refused(text)])


def test_the_readme_opens_with_worlds_and_hooks() -> None:
    blocks = re.split(r"\n\s*\n", text_of("README.md"))
    opening = next((block for block in blocks if not block.lstrip().startswith(("#", "<", "!", "["))), "")
    before_machine_words = MACHINE_WORD.split(opening)[0]
    none_of(
        [
            f"README.md opens without {word!r}: {before_machine_words!r}"
            for word in ("worlds", "hooks")
            if not re.search(rf"\b{word}\b", before_machine_words, re.IGNORECASE)
        ]
    )


@pytest.mark.parametrize(
    "text",
    [
        "an AI-powered home",
        "agent-readable\n  infrastructure",
        "the rights dashboard",
        "tokenised music",
        "a token sale",
        "buy our tokens",
        "fan tokens",
        "type NftDrop { id: ID! }",
        "mintCoin",
        "TRADING_OPENS",
        "a marketplace of loops",
        "a limited edition",
        "an edition of 100",
    ],
)
def test_the_words_of_another_product_are_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "a session token, an access token, an audio token",
        "a TypeID is a reference token",
        "the deluxe edition",
        "an edit of a trademark",
        "sample rate trade-off",
        "anchored proof and settlement reference",
        "the tokenizer of the search",
        "coincidence",
    ],
)
def test_an_honest_word_is_not_refused(text: str) -> None:
    assert not refused(text)
