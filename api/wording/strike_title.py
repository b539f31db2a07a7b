"""The title of a strike as it is printed anywhere: a draft is named as one."""

from __future__ import annotations

from api.wording.catalogue import ENGLISH, phrase


def strike_title(title: str, status: str | None, language: str = ENGLISH) -> str:
    """Return the title of a strike, of a draft with the word for it.

    Parameters
    ----------
    title
        Title of the record.
    status
        Its status; ``None`` where it is withheld or not known.
    language
        BCP 47 tag of the catalogue.
    """
    return phrase("strike.draft", language, title=title) if status == "draft" else title
