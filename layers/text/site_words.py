"""The words that struck sites are told with, in several languages: kinds of site, and words too common to tell."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from layers.model.types import AssetKind

#: What is struck and is no energy or industrial asset.
MILITARY = "military"
#: Kinds that a text or an asset may have, each at its bit of a mask.
KINDS: tuple[str, ...] = (*dict.fromkeys((*get_args(AssetKind), "substation", MILITARY)),)

#: Kind to beginnings of words that tell of it, spelled as in print; `+` joins words that must all be there, in
#: any order, and `=` asks for the whole word.
KIND_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "refinery": ("refiner", "=НПЗ", "нафтопереробн", "нефтеперераб", "raffiner", "rafiner", "нафтопродуктів"),
        "petrochemical-plant": ("petrochem", "нафтохім", "нефтехим", "neftekhim", "оргсинтез"),
        "chemical-plant": ("chemical", "=хімзавод", "химзавод", "=азот", "=azot", "azotn"),
        "gas-plant": ("gas+processing", "gas+plant", "=ГПЗ", "газопереробн", "газоперераб", "=GTL"),
        "gas-field": ("gas+field", "gas+production", "газов+родовищ", "газов+месторожд", "газодобув", "газодобыч"),
        "oil-field": ("oil+field", "oilfield", "нафтов+родовищ", "нефтян+месторожд"),
        "oil-processing": ("condensate", "oil+facility", "oil+processing", "нафтогазовий+комплекс"),
        "oil-depot": (
            *(
                "oil+depot",
                "fuel+depot",
                "oil+storage",
                "fuel+storage",
                "fuel+tank",
                "oil+tanks",
                "öldepot",
                "bulk+plant",
            ),
            *("нафтобаз", "нефтебаз", "нафтосховищ", "нефтехранилищ", "склад+паль", "склад+горюч", "резервуар"),
            *("склад+ПММ", "склад+ГСМ", "перевалочн"),
        ),
        "oil-terminal": (
            "oil+terminal",
            "oil+port",
            "нафтов+термінал",
            "нефтян+терминал",
            "marine+terminal",
            "mooring",
        ),
        "port-terminal": (
            *("=port", "=порт", "=порту", "=порта", "=порті", "=порте", "морпорт", "портов", "elevator", "элеватор"),
            *("grain+terminal", "зернов+термінал", "container+terminal", "елеватор", "причал", "terminal", "термінал"),
        ),
        "gas-storage": ("gas+storage", "газосховищ", "газохранилищ", "=ПСГ", "=ПХГ"),
        "lng-plant": ("=LNG", "=СПГ"),
        "compressor-station": ("compressor", "компресорн", "компрессорн"),
        "metering-station": ("metering", "газовимірювальн", "газоизмерительн", "вимірювальн", "=ГИС", "=ГВС"),
        "pump-station": (
            *("pump", "=НПС", "=ЛПДС", "насосн", "нафтоперекач", "нефтеперекач", "перекач", "oil+station"),
        ),
        "pipeline": ("pipeline", "нафтопров", "нефтепров", "газопров", "газогін", "трубопров", "vezeték", "ropovod"),
        "platform": ("platform", "платформ", "бурова", "=rig"),
        "power-plant": (
            *("power+plant", "power+station", "thermal+power", "=TPP", "=CHP", "=TES", "=ТЕС", "=ТЭС", "=ТЕЦ", "=ТЭЦ"),
            *("=ГРЭС", "електростанц", "электростанц", "теплоелектро", "теплоэлектро", "kraftwerk", "cogeneration"),
        ),
        "hydro-plant": (
            "hydro",
            "=HPP",
            "=HES",
            "=ГЕС",
            "=ГЭС",
            "=dam",
            "гідроелектро",
            "гидроэлектро",
            "дніпрогес",
            "dniprohes",
        ),
        "nuclear-plant": ("nuclear", "=NPP", "=АЕС", "=АЭС", "=ЗАЕС", "=ЗАЭС", "=ЧАЕС", "=ЧАЭС", "атомн", "reactor"),
        "substation": ("substation", "підстанці", "подстанц", "електропідстанц", "электроподстанц", "трансформаторн"),
        "steelworks": ("steel", "металург", "металлург", "=азовсталь", "=меткомбінат"),
        "food-plant": (
            "dairy",
            "food",
            "sunflower",
            "confectioner",
            "кондитерськ",
            "олійн",
            "масл",
            "=олейна",
            "brewery",
        ),
        "factory": ("factory", "=завод", "=заводу", "=завода", "фабрик", "fabrik", "gyár", "manufacturer", "flooring"),
        "office": ("office", "embassy", "consulate", "посольств", "консульств", "офіс", "офис"),
        MILITARY: (
            *("airfield", "air+base", "arsenal", "missile+plant", "UAV+plant", "drone+plant", "bomber", "ammunition"),
            *("аеродром", "аэродром", "авіабаз", "авиабаз", "боєприпас", "боеприпас", "арсенал", "військов+част"),
            *("казарм", "штаб", "зрк"),
        ),
    }
)

#: Kinds that one is easily taken for the other by a report.
_ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"oil-depot", "oil-terminal", "port-terminal", "oil-processing"}),
    frozenset({"refinery", "petrochemical-plant", "oil-processing", "oil-depot", "oil-terminal"}),
    frozenset({"petrochemical-plant", "chemical-plant", "gas-plant"}),
    frozenset({"gas-plant", "gas-field", "refinery", "lng-plant"}),
    frozenset({"oil-field", "gas-field", "platform", "oil-processing"}),
    frozenset({"power-plant", "hydro-plant", "nuclear-plant", "substation"}),
    frozenset({"pipeline", "pump-station", "compressor-station", "metering-station", "gas-storage"}),
    frozenset({"factory", "food-plant", "steelworks", "chemical-plant"}),
)
#: Kinds of which a town has one at most: to be told the kind is nearly to be told the site.
RARE = frozenset(
    {"refinery", "petrochemical-plant", "chemical-plant", "gas-plant", "oil-processing", "gas-storage", "lng-plant"}
    | {"compressor-station", "metering-station", "pump-station", "platform", "hydro-plant", "nuclear-plant"}
    | {"steelworks"}
)
#: A word for a factory or terminal says little beside one for another kind.
VAGUE = frozenset({"factory", "port-terminal", "oil-processing"})

#: Words that say nothing of which site it is, beyond those of `KIND_WORDS`.
COMMON_WORDS: tuple[str, ...] = (
    *(
        "plant",
        "station",
        "terminal",
        "facility",
        "complex",
        "site",
        "sites",
        "works",
        "unit",
        "phase",
        "train",
        "line",
    ),
    *("area", "region", "district", "city", "town", "village", "near", "north", "south", "east", "west", "new", "old"),
    *("strike", "attack", "drone", "missile", "fire", "explosion", "again", "after", "russian", "ukrainian", "power"),
    *("oil", "gas", "fuel", "energy", "company", "project", "export", "import", "field", "storage", "block", "valve"),
    *("building", "production", "industrial", "international", "black", "sea", "river", "grain", "owner", "named"),
    *("станція", "станції", "станция", "станции", "завод", "заводу", "завода", "підприємство", "предприятие"),
    *(
        "область",
        "області",
        "области",
        "район",
        "районі",
        "районе",
        "місто",
        "місті",
        "город",
        "городе",
        "село",
        "селі",
    ),
    *("удар", "атака", "вибух", "взрыв", "пожежа", "пожар", "ракета", "дрон", "після", "после", "знову", "снова"),
    *("росія", "россия", "україна", "украина", "окупанти", "війна", "война", "через", "біля", "поблизу", "под", "під"),
    *("вузол", "термінал", "терминал", "комплекс", "порт", "морський", "морской", "найбільша", "имени", "імені"),
    *("energy", "infrastructure", "used", "american", "polish", "saudi", "egypt", "crimea", "base", "center", "centre"),
)
#: Words of `KIND_WORDS` that are names of one site all the same.
TELLING = ("дніпрогес", "dniprohes", "азовсталь", "олейна", "оргсинтез", "sunflower", "azot", "азот")
#: Words of direction that are one in every language.
DIRECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "north": ("north", "північна", "північний", "северная", "северный"),
        "south": ("south", "південна", "південний", "южная", "южный"),
        "east": ("east", "східна", "східний", "восточная", "восточный"),
        "west": ("west", "західна", "західний", "западная", "западный"),
    }
)


def related(kind: str) -> frozenset[str]:
    """Kinds that a report may take this one for, without itself."""
    alike = [group for group in _ALIKE if kind in group]
    return frozenset[str]().union(*alike) - {kind}
