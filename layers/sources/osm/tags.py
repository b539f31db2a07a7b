"""What the tags of OpenStreetMap say of an asset: its kind, commodity, capacity, names. Tables and pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping

Tags = Mapping[str, str]

#: industrial=* that is an asset.
INDUSTRIAL: Mapping[str, str] = {
    "refinery": "refinery",
    "oil": "oil-processing",
    "oil_storage": "oil-depot",
    "petroleum_terminal": "oil-terminal",
    "fracking": "oil-field",
    "hydrocarbons": "oil-field",
    "wellsite": "oil-field",
    "well_cluster": "oil-field",
    "gas": "gas-plant",
    "natural_gas": "gas-plant",
    "gas_storage": "gas-storage",
}
MAN_MADE: Mapping[str, str] = {
    "pipeline": "pipeline",
    "petroleum_well": "oil-field",
    "oil_well": "oil-field",
    "gas_well": "gas-field",
    "offshore_platform": "platform",
}
#: pipeline=* that is a part of a line, and no line.
PARTS = ("marker", "valve", "flare", "substation", "inspection_gauge", "manifold", "junction", "vent", "gauge")
#: Words for what flows in lines that are no energy assets; words that end in "water" are such, too.
_OTHERS = {
    *("sewage", "sewerage", "waste", "heat", "heating", "steam", "rain", "drain", "drainage", "air", "vacuum"),
    *("beer", "milk", "slurry"),
}
_FUELS = {"oil", "gas", "fuel", "diesel", "petrol", "gasoline", "kerosene", "naphtha", "lpg", "condensate"}
#: type=* that says what a relation is; on ways it is an old key for the substance.
_RELATIONS = ("multipolygon", "boundary", "site", "route", "network", "collection", "pipeline", "multilinestring")
#: Words that a depot of oil has among its tags: English, Ukrainian, Russian.
_OIL = re.compile(r"\b(oil|fuel|petrol|gasoline|diesel|kerosene|naphtha|lpg|нафт|нефт|палив|топлив|гсм\b)")
#: Megawatts in a unit, in small letters: nobody means milliwatts.
_POWERS: Mapping[str, float] = {
    "w": 1e-6,
    "kw": 1e-3,
    "mw": 1.0,
    "gw": 1e3,
    "kwp": 1e-3,
    "mwp": 1.0,
    "вт": 1e-6,
    "квт": 1e-3,
    "мвт": 1.0,
    "гвт": 1e3,
}
#: What comes before a key of what is not, not yet or no longer there (wiki.openstreetmap.org/wiki/Lifecycle_prefix).
LIFECYCLE = (
    *("proposed", "planned", "construction", "disused", "abandoned", "ruins", "demolished", "razed", "removed"),
    *("destroyed", "dismantled", "historic", "was"),
)
_KINDS = ("power", "industrial", "man_made", "pipeline")
#: Values of owner and operator that name nobody.
_NOBODY = ("yes", "no", "none", "unknown", "private", "public", "-", "?")


def kind_of(tags: Tags) -> tuple[str | None, str]:
    """The kind of asset of an object, or None and why it is none.

    A key with a lifecycle prefix, as in ``disused:power=plant``, makes no asset; see ``standing`` for ``disused=yes``.
    """
    is_line = tags.get("man_made") == "pipeline"
    if tags.get("pipeline") and (not is_line or tags["pipeline"] in PARTS):
        return _pipeline_part(tags)
    if is_line and _is_other(tags):
        return None, f"a line of {_carried(tags)[:40]}"
    if kind := MAN_MADE.get(tags.get("man_made", "")):
        return kind, ""
    if kind := INDUSTRIAL.get(tags.get("industrial", "")):
        return ("gas-field" if kind == "oil-field" and "gas" in tags.get("substance", "") else kind), ""
    if tags.get("industrial") == "depot" and _OIL.search(_what(tags)):
        return "oil-depot", ""
    if tags.get("power") == "plant":
        return _plant(tags), ""
    return None, _no_asset(tags)


def _pipeline_part(tags: Tags) -> tuple[str | None, str]:
    if tags["pipeline"] != "substation":
        return None, f"pipeline={tags['pipeline'][:40]}"
    if _is_other(tags):
        return None, f"a part of a line of {_carried(tags)[:40]}"
    part = tags.get("substation", "")
    if part in ("compression", "compressor"):
        return ("pump-station" if "oil" in _carried(tags) else "compressor-station"), ""
    if part in ("pump", "pumping", "pump_station"):
        return "pump-station", ""
    if part in ("measurement", "metering"):
        return "metering-station", ""
    return None, f"pipeline=substation, substation={part[:40] or '(none)'}"


def _carried(tags: Tags) -> str:
    """What a line carries."""
    plain = tags.get("type", "")
    return tags.get("substance") or ("" if plain in _RELATIONS else plain)


def _is_other(tags: Tags) -> bool:
    """Whether all that a line is said to carry is no fuel, as hot water is; heating oil is one, and so is oil;water."""
    carried = [re.findall(r"[a-z]+", part.casefold()) for part in _carried(tags).split(";") if part.strip()]
    return bool(carried) and all(_FUELS.isdisjoint(words) and any(map(_is_other_word, words)) for words in carried)


def _is_other_word(word: str) -> bool:
    return word in _OTHERS or word.endswith("water")


def _what(tags: Tags) -> str:
    return " ".join(tags.get(key, "") for key in ("substance", "content", "product", "name")).casefold()


def _plant(tags: Tags) -> str:
    source = tags.get("plant:source", "").partition(";")[0].strip()
    return {"hydro": "hydro-plant", "nuclear": "nuclear-plant"}.get(source, "power-plant")


def _no_asset(tags: Tags) -> str:
    prefixed = (f"{prefix}:{key}" for prefix in LIFECYCLE for key in _KINDS)
    key = next((key for key in (*prefixed, *_KINDS[:3]) if tags.get(key)), None)
    return f"{key}={tags[key][:40]}" if key else "no tag of an energy asset"


def standing(tags: Tags) -> tuple[str, ...]:
    """Tags that say that an asset does not run, such as ``disused=yes``, or that its owner is not named."""
    found = [f"{key}=yes" for key in LIFECYCLE if tags.get(key) == "yes"]
    found += [f"{key}={tags[key]}" for key in ("operational_status", "end_date") if tags.get(key)]
    found += [f"{key}={tags[key]}" for key in ("owner", "operator") if tags.get(key) and not holders(tags, key)]
    if output := unread_output(tags):
        found.append(f"plant:output:electricity={output}")
    return tuple(found)


def commodity_of(tags: Tags) -> str | None:
    """What an asset makes, moves or stores, as the tags say."""
    if (tags.get("man_made") == "pipeline" or tags.get("pipeline")) and _carried(tags):
        return _carried(tags)
    return next((tags[key] for key in ("substance", "plant:source", "content", "product") if tags.get(key)), None)


def megawatts(tags: Tags) -> float | None:
    """Electrical output, in MW; None where it is not given in watts.

    ``yes`` is no number, MVA are no MW, and a comma before three digits may part thousands.
    """
    text = tags.get("plant:output:electricity", "").strip()
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+|,[0-9]{1,2}|,[0-9]{4,})?)\s*(\w+)", text)
    unit = _POWERS.get(found[2].casefold()) if found else None
    return round(float(found[1].replace(",", ".")) * unit, 9) if found and unit else None


def unread_output(tags: Tags) -> str | None:
    """An electrical output that is given and is no number of watts."""
    text = tags.get("plant:output:electricity", "").strip()
    return text if text not in ("", "yes", "no") and megawatts(tags) is None else None


def names_of(tags: Tags) -> tuple[str | None, dict[str, str], tuple[str, ...]]:
    """Name in English or as it stands, names by language, and others."""
    languages = {key: found[1] for key in tags if (found := _NAME.fullmatch(key))}
    spoken = {language: tags[key] for key, language in languages.items() if tags[key]}
    plain = tags.get("name") or None
    name = spoken.pop("en", None) or tags.get("int_name") or plain or next(iter(spoken.values()), None)
    others = [plain, *(tags.get(f"{which}_name") for which in ("int", "alt", "official", "old", "short"))]
    aliases = dict.fromkeys(part.strip() for text in others if text for part in text.split(";"))
    return name, spoken, tuple(one for one in aliases if one and one != name and one not in spoken.values())


#: ``name:uk`` and ``name:sr-Latn``, but not ``name:etymology`` or ``name:left``.
_NAME = re.compile(r"name:([a-z]{2,3}(?:-[A-Za-z0-9]+)*)")


def holders(tags: Tags, key: str) -> list[tuple[str, str]]:
    """Names under ``operator`` or ``owner``, with the Wikidata item of each where there is one for each.

    Items without names stand for names. Words that name nobody, such as ``private``, are left out.
    """
    names = [part.strip() for part in tags.get(key, "").split(";") if part.strip().casefold() not in ("", *_NOBODY)]
    items = [part.strip() for part in tags.get(f"{key}:wikidata", "").split(";") if part.strip()]
    if not names:
        return [(item, item) for item in items if re.fullmatch("Q[1-9][0-9]*", item)]
    return list(zip(names, items if len(items) == len(names) else [""] * len(names), strict=True))
