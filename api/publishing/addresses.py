"""Where each answer of the server lies as a file: one table of paths, in a folder for each language but English.

A file server knows paths alone, so the language and the format that a query names are parts of the name of the file.
What has no file leads to the page that says what needs a server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from api.html.map_images import SHARED
from api.http.links import query_string, with_query
from api.wording.catalogue import ENGLISH, languages

#: The page on what lies here, and the part of it on what needs a server.
INDEX = "index.html"
NEEDS_SERVER = "server"
#: Pages that have a name of their own.
PAGES = ("about", "method", "policy", "corrections", "countries", "map")
#: Answers that are files of data too, by the begin of their names.
_AS_JSON = ("about", "policy", "corrections", "strikes/", "entities/", "countries")
#: Begin and end of the paths of answers about one subject, and the folder of its files.
_SUBJECTS = (
    ("/collections/strikes/items/", "", "strikes"),
    ("/strikes/", "/attribution", "strikes"),
    ("/collections/assets/items/", "", "assets"),
    ("/assets/", "/owners", "assets"),
    ("/entities/", "/holdings", "entities"),
    ("/collections/countries/items/", "", "countries"),
    ("/countries/", "", "countries"),
    ("/corrections/", "", "corrections"),
)
#: Folders, in that of each language, of which every page and answer is one of a publication.
SUBJECT_FOLDERS = frozenset(folder for _, _, folder in _SUBJECTS)
#: Parameters that select strikes, by the name that the map has for each.
_ON_MAP = {"country": "country", "entity": "owner", "assets": "asset", "relation": "role", "certainty": "certainty"}
_FORMS = {"html": "html", "json": "json", "atom": "xml"}


def subject_name(folder: str, key: str) -> str:
    """Return the name of the files about a subject, without an ending.

    An id is a path of its own (``wri/123``); one that no folder can hold, as it has a part ``..`` or one that ends as a
    file does, is named by its digest.
    """
    *parents, last = parts = key.split("/")
    if not last or any(part in ("", ".", "..") for part in parts) or any("." in part for part in parents):
        return f"{folder}/~{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    return f"{folder}/{key}"


def language_folder(language: str) -> str:
    """Return the folder of the pages in a language: that of all files for English."""
    return "" if language == ENGLISH else f"{language}/"


@dataclass(frozen=True)
class PublishedAddresses:
    """Addresses of the files of a publication, for the pages in one language; see `api.http.links.FileAddresses`."""

    #: Address of the folder of all files, without a slash at its end.
    base: str
    #: Of the page whose links they are.
    language: str = ENGLISH
    #: Languages that are published.
    spoken: tuple[str, ...] = languages()
    #: Whether the page of a subject that the server has, by the name of its files, is not published.
    is_left_out: Callable[[str], bool] = lambda name: False

    @property
    def needs_server(self) -> str:
        """Address of the page that says what needs a server."""
        return f"{self.address(language_folder(self.language) + INDEX)}#{NEEDS_SERVER}"

    def find(self, path: str, query: Mapping[str, object]) -> str | None:
        """Return the address of the file of an answer; ``None`` where there is none."""
        if path.startswith("/static/") or path == SHARED:
            return self.address(path[1:])
        given = {name: str(value) for name, value in query.items()}
        language, form = given.pop("lang", self.language), given.pop("f", "html")
        found = _file(unquote(path), given, form)
        if found is None or language not in self.spoken:
            return None
        file, part = found
        if self.is_left_out(file.rpartition(".")[0]):
            return None
        return self.address(language_folder(language) + file) + part

    def find_or_say(self, path: str, query: Mapping[str, object]) -> str:
        """Return it, or that of the page that says what needs a server."""
        return self.find(path, query) or self.needs_server

    def address(self, file: str) -> str:
        """Return the address of a file by its path in the folder."""
        return f"{self.base}/{quote(file)}"


def _file(path: str, query: Mapping[str, str], form: str) -> tuple[str, str] | None:
    """Return the file of an answer, within the folder of a language, and what follows it in an address."""
    page = path.strip("/")
    if page == "":
        return (INDEX, "") if form == "html" else None
    if path == "/map":
        return ("map.html", with_query("", query_string(query))) if form == "html" else None
    if path == "/collections/strikes/items" and form == "html" and query.keys() & {"country", "entity", "assets"}:
        shown = {_ON_MAP[name]: value for name, value in query.items() if name in _ON_MAP}
        return "map.html", with_query("", query_string(shown))
    if page.split("/")[0] == "collections" and page.split("/")[2:] in ([], ["items"]):
        return (INDEX, "#data") if form == "html" else None
    name = _name(path, query)
    has_form = {
        "html": True,
        "json": not page.startswith("collections/") and bool(name) and str(name).startswith(_AS_JSON),
        "atom": page == "corrections",
    }
    return (f"{name}.{_FORMS[form]}", "") if name is not None and has_form.get(form) else None


def _name(path: str, query: Mapping[str, str]) -> str | None:
    """Return the name of the files of an answer without an ending; ``None`` where there are none."""
    page = path[1:]
    if page == "countries" and query:
        return None  # counted in another way
    if page in PAGES:
        before = query.get("before")
        return page if before is None else f"{page}/before-{before}"
    for begin, end, folder in _SUBJECTS:
        key = path[len(begin) : len(path) - len(end)]
        if path.startswith(begin) and path.endswith(end) and key:
            return subject_name(folder, key)
    return None
