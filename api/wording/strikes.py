"""Words about a strike that are the same wherever it is shown: a draft is named as one, and its voices are counted."""

from __future__ import annotations

from api.wording.catalogue import ENGLISH, phrase


def strike_title(title: str, status: str | None, language: str = ENGLISH) -> str:
    """Return the title of a strike, of a draft with the word for it.

    ``status``: its status; ``None`` where it is withheld or not known.
    """
    return phrase("strike.draft", language, title=title) if status == "draft" else title


def sources_in_words(sources: int, voices: int, language: str = ENGLISH) -> str:
    """Word the number of sources of a strike, and how many of them are independent sources.

    Parameters
    ----------
    sources, voices
        Numbers of both; there are at most as many voices as sources.
    """
    said = phrase("strike.sources", language, n=sources)
    if sources == voices < 2:
        return said
    how = "all" if voices == sources else "some" if voices else "none"
    return phrase(f"strike.voices-{how}", language, sources=said, n=voices)
