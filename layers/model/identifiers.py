"""Identifiers that other registers give: LEI."""

import re

_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")


def is_lei(text: str) -> bool:
    """Whether a text is an LEI with right check digits: letters as 10 to 35, the number is 1 modulo 97.

    ISO 17442-1:2020, after ISO/IEC 7064 MOD 97-10.
    """
    return bool(_LEI.fullmatch(text)) and int("".join(str(int(c, 36)) for c in text)) % 97 == 1
