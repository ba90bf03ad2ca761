"""Passwords: which ones are refused, and the one text that is hashed for each."""

from __future__ import annotations

import unicodedata

from domain.errors import Invalid

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 256
_FEWEST_CHARACTERS = 5
"""Different ones."""
_COMMON = """
1234567890 12345678910 123456789a 0123456789 9876543210 0987654321 1q2w3e4r5t 1qaz2wsx3edc q1w2e3r4t5 qwertyuiop
qwerty12345 qwerty123456 qwertyuiop123 asdfghjkl123 asdfghjkl; zxcvbnm123 password12 password123 password1234
password12345 passw0rd123 p@ssw0rd123 p@ssword123 passwordpassword mypassword1 welcome123 welcome1234 letmein123
letmein1234 iloveyou12 iloveyou123 iloveyou1234 princess123 sunshine123 football123 football12 baseball123
superman123 batman12345 dragon12345 monkey12345 michael123 charlie123 jennifer123 changeme123 administrator
administrator1 admin12345 admin123456 trustno1trustno1 abcdefghij abcdefghijk abc1234567 abcd123456 abcd1234567
aa123456789 a123456789 a1234567890 123456789q 123456789abc 1234567890a 1234567890q 11223344556 1122334455
12341234123 1234512345 1231231234 123123123123 121212121212 qazwsxedcr qazwsxedc123 poiuytrewq lovelovelove
mustang123 starwars123 pokemon123 whatever123 computer123 internet123 liverpool1 chelsea123 arsenal123 barcelona1
basketball basketball1 butterfly1 chocolate1 motherfucker alexander1 christopher christopher1 california1
correcthorsebatterystaple guitar12345 musicmusic musicismylife beatles123 nirvana123 metallica1
"""


def prepared(password: str) -> bytes:
    """The bytes of a password, the same however a keyboard composes its letters (NFKC, NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")


def checked_password(password: str, *names: str, field: str = "password") -> str:
    """A password somebody may take.

    Args:
        password: as it was typed.
        names: what the account goes by: a password is none of them, nor the part of an address before its @.
        field: where in the input it stands.

    Raises:
        Invalid: too short or long, no text, among the most common, of very few characters, or one of the names.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", path=(field,))
    if any(unicodedata.category(character) in {"Cs", "Cc"} for character in password):
        raise Invalid("A password holds a control character or half a surrogate pair.", path=(field,))
    folded = unicodedata.normalize("NFKC", password).casefold()
    if folded in _COMMON.split() or len(set(folded)) < _FEWEST_CHARACTERS:
        raise Invalid("This password is among the first that anybody tries.", path=(field,))
    taken = {part for name in names for part in (name.casefold(), name.casefold().partition("@")[0])}
    if folded in taken:
        raise Invalid("A password is neither the handle nor the address.", path=(field,))
    return password
