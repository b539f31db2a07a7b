"""From the tags of an OpenStreetMap object to kind, commodity, capacity and names of an asset. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from layers.model.asset_kinds import TABLE
from layers.model.messages import Message

Tags = Mapping[str, str]


def _kinds_of(key: str) -> Mapping[str, str]:
    """The kind of asset of each value of a key, by the tags of asset_kinds.toml."""
    tags = ((tag.partition("="), kind) for tag, kind in TABLE.kinds_by("osm_tags").items())
    return {value: kind for (name, _, value), kind in tags if name == key}


INDUSTRIAL = _kinds_of("industrial")
MAN_MADE = _kinds_of("man_made")
POWER = _kinds_of("power")
#: Stations on a line: substation=* beside pipeline=substation.
SUBSTATION = _kinds_of("substation")
#: Volts below which a substation is a street's or a workshop's, and no asset: distribution begins at 20 to 35 kV.
LOWEST_VOLTAGE = 20_000
#: Power plants by the first of their sources: plant:source=* beside power=plant.
PLANT_SOURCE = _kinds_of("plant:source")
#: pipeline=* that is a part of a line, and no line.
PARTS = ("marker", "valve", "flare", "substation", "inspection_gauge", "manifold", "junction", "vent", "gauge")
#: Substances of lines that are no energy assets, beside all words that end in "water".
_NOT_FUELS = {
    *("sewage", "sewerage", "waste", "heat", "heating", "steam", "rain", "drain", "drainage", "air", "vacuum"),
    *("beer", "milk", "slurry"),
}
_FUELS = {"oil", "gas", "fuel", "diesel", "petrol", "gasoline", "kerosene", "naphtha", "lpg", "condensate"}
#: Values of type=* that are types of relations; any other value is a substance, as old tagging of ways has it.
_RELATIONS = ("multipolygon", "boundary", "site", "route", "network", "collection", "pipeline", "multilinestring")
#: Words in the tags of an oil depot: English, Ukrainian, Russian.
_OIL = re.compile(r"\b(oil|fuel|petrol|gasoline|diesel|kerosene|naphtha|lpg|нафт|нефт|палив|топлив|гсм\b)")
#: Megawatts in a unit, in small letters: nobody means milliwatts.
_POWERS: Mapping[str, float] = {
    "w": 1e-6, "kw": 1e-3, "mw": 1.0, "gw": 1e3, "kwp": 1e-3, "mwp": 1.0, "вт": 1e-6, "квт": 1e-3, "мвт": 1.0,
    "гвт": 1e3,
}  # fmt: skip
#: Prefixes of keys of objects that are planned or gone (wiki.openstreetmap.org/wiki/Lifecycle_prefix).
LIFECYCLE = (
    *("proposed", "planned", "construction", "disused", "abandoned", "ruins", "demolished", "razed", "removed"),
    *("destroyed", "dismantled", "historic", "was"),
)
_KINDS = ("power", "industrial", "man_made", "pipeline")
#: Values of owner and operator that name nobody.
_NOBODY = ("yes", "no", "none", "unknown", "private", "public", "-", "?")


def kind_of(tags: Tags) -> str | None:
    """Return the kind of asset of an object, None for one that is no asset; ``skip_reason`` says why.

    A key with a lifecycle prefix, as in ``disused:power=plant``, makes no asset; ``status_tags`` handles
    ``disused=yes``.
    """
    if _is_pipeline_part(tags):
        return _kind_of_part(tags)
    if _is_line(tags) and _is_not_fuel(tags):
        return None
    if kind := MAN_MADE.get(tags.get("man_made", "")):
        return kind
    if kind := INDUSTRIAL.get(tags.get("industrial", "")):
        return "gas-field" if kind == "oil-field" and "gas" in tags.get("substance", "") else kind
    contents = " ".join(tags.get(key, "") for key in ("substance", "content", "product", "name")).casefold()
    if tags.get("industrial") == "depot" and _OIL.search(contents):
        return "oil-depot"
    kind = POWER.get(tags.get("power", ""))
    if tags.get("power") == "plant":
        return PLANT_SOURCE.get(tags.get("plant:source", "").partition(";")[0].strip(), kind)
    return None if _minor_substation(tags) else kind


def _is_line(tags: Tags) -> bool:
    return tags.get("man_made") == "pipeline"


def _is_pipeline_part(tags: Tags) -> bool:
    return bool(tags.get("pipeline")) and (not _is_line(tags) or tags["pipeline"] in PARTS)


def _kind_of_part(tags: Tags) -> str | None:
    if tags["pipeline"] != "substation" or _is_not_fuel(tags):
        return None
    kind = SUBSTATION.get(tags.get("substation", ""))
    return "pump-station" if kind == "compressor-station" and "oil" in _carried(tags) else kind


def skip_reason(tags: Tags) -> Message:
    """Return why an object, for which ``kind_of`` gives None, is no asset."""
    if _is_pipeline_part(tags):
        return _reason_of_part(tags)
    if _is_line(tags) and _is_not_fuel(tags):
        return Message("osm.line", {"substance": _carried(tags)[:40]})
    if minor := _minor_substation(tags):
        return minor
    prefixed = (f"{prefix}:{key}" for prefix in LIFECYCLE for key in _KINDS)
    key = next((key for key in (*prefixed, *_KINDS[:3]) if tags.get(key)), None)
    return Message("osm.tag", {"key": key, "value": tags[key][:40]}) if key else Message("osm.no-tag")


def _minor_substation(tags: Tags) -> Message | None:
    """Return why a substation of the grid is no asset, None for one that is, and for what is no substation.

    A traction substation is one at any voltage. One whose ``substation=*`` is not given counts with a name, or with a
    voltage that is high enough (wiki.openstreetmap.org/wiki/Tag:power=substation).
    """
    if tags.get("power") != "substation":
        return None
    type_ = tags.get("substation", "")
    volts = max(map(int, re.findall(r"[0-9]{1,9}", tags.get("voltage", ""), re.ASCII)), default=0)
    if type_.startswith("minor"):
        return Message("osm.minor-substation", {"tag": f"substation={type_[:40]}"})
    if 0 < volts < LOWEST_VOLTAGE and type_ != "traction":
        return Message("osm.minor-substation", {"tag": f"voltage={tags['voltage'][:40]}"})
    return None if type_ or volts or names_of(tags)[0] else Message("osm.bare-substation")


def _reason_of_part(tags: Tags) -> Message:
    if tags["pipeline"] != "substation":
        return Message("osm.tag", {"key": "pipeline", "value": tags["pipeline"][:40]})
    if _is_not_fuel(tags):
        return Message("osm.part-of-line", {"substance": _carried(tags)[:40]})
    return Message("osm.substation", {"substation": tags.get("substation", "")[:40] or Message("value.none")})


def _carried(tags: Tags) -> str:
    """Return the substance that a line carries."""
    plain = tags.get("type", "")
    return tags.get("substance") or ("" if plain in _RELATIONS else plain)


def _is_not_fuel(tags: Tags) -> bool:
    """Whether every substance of a line is no fuel, as hot water; heating oil is a fuel, and so is oil;water."""
    carried = [re.findall(r"[a-z]+", part.casefold()) for part in _carried(tags).split(";") if part.strip()]
    return bool(carried) and all(
        _FUELS.isdisjoint(words) and any(word in _NOT_FUELS or word.endswith("water") for word in words)
        for words in carried
    )


def status_tags(tags: Tags) -> tuple[str, ...]:
    """Return the tags that say that an asset does not run, such as ``disused=yes``, or that its owner is not named.

    After them come an output that is no number of watts, and the voltages of a substation.
    """
    remarks = [f"{key}=yes" for key in LIFECYCLE if tags.get(key) == "yes"]
    remarks += [f"{key}={tags[key]}" for key in ("operational_status", "end_date") if tags.get(key)]
    remarks += [f"{key}={tags[key]}" for key in ("owner", "operator") if tags.get(key) and not holders(tags, key)]
    output = tags.get("plant:output:electricity", "").strip()
    if output not in ("", "yes", "no") and megawatts(tags) is None:
        remarks.append(f"plant:output:electricity={output}")
    if tags.get("power") == "substation" and tags.get("voltage"):
        remarks.append(f"voltage={tags['voltage'][:80]}")
    return tuple(remarks)


def commodity_of(tags: Tags) -> str | None:
    """Return what an asset makes, moves or stores, as the tags say."""
    if (tags.get("man_made") == "pipeline" or tags.get("pipeline")) and _carried(tags):
        return _carried(tags)
    return next((tags[key] for key in ("substance", "plant:source", "content", "product") if tags.get(key)), None)


def megawatts(tags: Tags) -> float | None:
    """Return the electrical output in MW, None where it is not given in watts.

    ``yes`` is no number, MVA are no MW, and a comma before three digits may part thousands.
    """
    text = tags.get("plant:output:electricity", "").strip()
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+|,[0-9]{1,2}|,[0-9]{4,})?)\s*([^\W\d]\w*)", text)
    unit = _POWERS.get(match[2].casefold()) if match else None
    return round(float(match[1].replace(",", ".")) * unit, 9) if match and unit else None


def names_of(tags: Tags) -> tuple[str | None, dict[str, str], tuple[str, ...]]:
    """Return the English name (else the plain one), names by language, and aliases."""
    languages = {key: match[1] for key in tags if (match := _NAME.fullmatch(key))}
    spoken = {language: tags[key] for key, language in languages.items() if tags[key]}
    plain = tags.get("name") or None
    name = spoken.pop("en", None) or tags.get("int_name") or plain or next(iter(spoken.values()), None)
    alternatives = [plain, *(tags.get(f"{which}_name") for which in ("int", "alt", "official", "old", "short"))]
    aliases = dict.fromkeys(part.strip() for text in alternatives if text for part in text.split(";"))
    return name, spoken, tuple(alias for alias in aliases if alias and alias != name and alias not in spoken.values())


#: ``name:uk`` and ``name:sr-Latn``, but not ``name:etymology`` or ``name:left``.
_NAME = re.compile(r"name:([a-z]{2,3}(?:-[A-Za-z0-9]+)*)")


def holders(tags: Tags, key: str) -> list[tuple[str, str]]:
    """Return the names under ``operator`` or ``owner``, each with its Wikidata item if every name has one.

    Without names the items stand for them. Words that name nobody, such as ``private``, are left out.
    """
    names = [part.strip() for part in tags.get(key, "").split(";") if part.strip().casefold() not in ("", *_NOBODY)]
    items = [part.strip() for part in tags.get(f"{key}:wikidata", "").split(";") if part.strip()]
    if not names:
        return [(item, item) for item in items if re.fullmatch("Q[1-9][0-9]*", item)]
    return list(zip(names, items if len(items) == len(names) else [""] * len(names), strict=True))
