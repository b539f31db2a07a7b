"""The words that company names are made of, by language: legal forms, common words, countries and small words.

Written as they are spelled; ``names`` transliterates them as it does names. A word list is a judgement: it makes
names comparable and proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Legal forms by language of the company's register (short forms as in ISO 20275, and the long ones in use).
LEGAL_FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": (
            "public joint stock company",
            "private joint stock company",
            "open joint stock company",
            "closed joint stock company",
            "national joint stock company",
            "joint stock company",
            "limited liability company",
            "limited liability partnership",
            "public limited company",
            *("pjsc", "prjsc", "ojsc", "cjsc", "qjsc", "jsc", "njsc", "saoc", "saog", "psc"),
            *("private limited", "pte ltd", "pty ltd", "co ltd", "company limited", "limited", "ltd"),
            *("llc", "llp", "lp", "plc", "inc", "incorporated", "corp", "corporation"),
        ),
        "uk": (
            "публічне акціонерне товариство",
            "приватне акціонерне товариство",
            "національна акціонерна компанія",
            "акціонерне товариство",
            "товариство з обмеженою відповідальністю",
            "державне підприємство",
            *("пат", "прат", "ват", "зат", "ат", "тов", "тзов", "дп", "нак", "дат"),
        ),
        "ru": (
            "публичное акционерное общество",
            "открытое акционерное общество",
            "закрытое акционерное общество",
            "непубличное акционерное общество",
            "акционерное общество",
            "общество с ограниченной ответственностью",
            "нефтяная компания",
            *("пао", "оао", "зао", "нао", "ао", "ооо", "нк", "гуп", "фгуп", "фгбу", "чао"),
        ),
        "kk": ("жауапкершілігі шектеулі серіктестігі", "акционерлік қоғамы", "жшс", "тоо", "ақ"),
        "az": (
            *("açıq səhmdar cəmiyyəti", "qapalı səhmdar cəmiyyəti", "səhmdar cəmiyyəti"),
            *("məhdud məsuliyyətli cəmiyyəti", "məhdud məsuliyyətli cəmiyyət", "asc", "qsc", "mmc"),
        ),
        "tr": ("anonim şirketi", "limited şirketi", "ltd şti", "a.ş.", "aş", "tic ltd şti", "sanayi ve ticaret aş"),
        "de": (
            *("gesellschaft mit beschränkter haftung", "aktiengesellschaft", "kommanditgesellschaft"),
            *("gmbh & co kg", "gmbh", "kgaa", "ag & co kg", "ag", "kg", "ohg", "ug", "mbh"),
        ),
        "eu": ("societas europaea", "se", "eeig"),
        "fr": ("société anonyme", "société par actions simplifiée", "sa", "sas", "sarl", "s.c.a.", "s.a.", "sàrl"),
        "es": ("sociedad anónima", "sociedad limitada", "s.a.", "s.l.", "sau", "sl", "s.a. de c.v."),
        "pt": ("sociedade anônima", "ltda", "sgps", "s.a."),
        "it": ("società per azioni", "società a responsabilità limitata", "s.p.a.", "s.r.l."),
        "nl": ("naamloze vennootschap", "besloten vennootschap", "n.v.", "b.v.", "cooperatief ua"),
        "pl": ("spółka akcyjna", "spółka z ograniczoną odpowiedzialnością", "sp. z o.o.", "sp zoo"),
        "cs": ("akciová společnost", "společnost s ručením omezeným", "a.s.", "s.r.o.", "spol. s r.o."),
        "hu": ("nyilvánosan működő részvénytársaság", "zártkörűen működő részvénytársaság", "nyrt", "zrt", "kft"),
        "ro": ("societate pe acțiuni", "s.r.l."),
        "bg": ("акционерно дружество", "еад", "ад", "еоод", "оод"),
        "hr": ("dioničko društvo", "d.d.", "d.o.o.", "a.d."),
        "no": ("allmennaksjeselskap", "aksjeselskap", "asa", "as", "a/s"),
        "sv": ("aktiebolag", "publ ab", "ab publ", "ab"),
        "da": ("aktieselskab", "anpartsselskab", "aps", "a/s"),
        "fi": ("osakeyhtiö", "oyj", "oy"),
        "et": ("aktsiaselts", "osaühing", "as", "oü"),
        "lv": ("akciju sabiedrība", "sia", "as"),
        "lt": ("akcinė bendrovė", "uždaroji akcinė bendrovė", "uab", "ab"),
        "el": ("ανώνυμη εταιρεία", "α.ε.", "ae"),
        "id": ("perseroan terbatas", "pt", "tbk"),
        "ms": ("sdn bhd", "berhad", "bhd"),
        "ja": ("kabushiki kaisha", "kk", "株式会社"),
    }
)

#: Languages whose legal form may stand before the name.
FORM_FIRST = frozenset({"en", "uk", "ru", "kk", "bg", "et", "lv", "lt", "id", "sv", "ja"})

#: Words that say the same, by what they say in English; the first of each language is the one its acronyms take.
SAME_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "state": {
            "en": ("state",),
            "uk": ("державна", "державний", "державне", "державної"),
            "ru": ("государственная", "государственный", "государственное", "государственной"),
            "az": ("dövlət",),
            "tr": ("devlet",),
            "kk": ("мемлекеттік",),
            "de": ("staatliche", "staatlicher"),
        },
        "national": {
            "en": ("national",),
            "uk": ("національна", "національний", "національної"),
            "ru": ("национальная", "национальный", "национальной"),
            "az": ("milli",),
            "kk": ("ұлттық",),
            "fr": ("nationale",),
            "es": ("nacional",),
        },
        "oil": {
            "en": ("oil", "petroleum"),
            "uk": ("нафтова", "нафтовий", "нафта", "нафти"),
            "ru": ("нефтяная", "нефтяной", "нефть", "нефти"),
            "az": ("neft",),
            "tr": ("petrol", "petrolleri", "petrolü"),
            "kk": ("мұнай",),
            "de": ("erdöl", "mineralöl"),
            "es": ("petróleo", "petróleos"),
        },
        "gas": {
            "en": ("gas",),
            "uk": ("газ", "газова", "газовий", "газу"),
            "ru": ("газ", "газовая", "газовый", "газа"),
            "az": ("qaz",),
            "de": ("gas", "erdgas"),
        },
        "company": {
            "en": ("company", "companies", "co"),
            "uk": ("компанія", "компанії"),
            "ru": ("компания", "компании"),
            "az": ("şirkəti", "şirkət"),
            "tr": ("şirketi", "şirket"),
            "kk": ("компаниясы",),
            "de": ("gesellschaft",),
            "fr": ("compagnie", "société"),
            "es": ("compañía", "sociedad"),
        },
        "holding": {
            "en": ("holding", "holdings"),
            "uk": ("холдинг",),
            "ru": ("холдинг",),
            "az": ("holdinqi", "holdinq"),
            "de": ("holding",),
        },
        "group": {
            "en": ("group",),
            "uk": ("група", "групи"),
            "ru": ("группа", "группы"),
            "az": ("qrupu", "qrup"),
            "tr": ("grubu", "grup"),
            "de": ("gruppe", "konzern"),
            "fr": ("groupe",),
            "es": ("grupo",),
        },
        "energy": {
            "en": ("energy", "energies"),
            "uk": ("енергія", "енергетична", "енергетичний", "енерго"),
            "ru": ("энергия", "энергетическая", "энерго"),
            "az": ("enerji",),
            "de": ("energie",),
            "fr": ("énergie", "énergies"),
            "es": ("energía",),
        },
        "pipeline": {
            "en": ("pipeline", "pipelines"),
            "uk": ("трубопровід", "трубопроводу"),
            "ru": ("трубопровод", "трубопроводный", "трубопроводная"),
        },
        "ministry": {
            "en": ("ministry",),
            "uk": ("міністерство",),
            "ru": ("министерство",),
            "az": ("nazirliyi",),
            "tr": ("bakanlığı",),
            "de": ("ministerium",),
            "fr": ("ministère",),
        },
        "economy": {
            "en": ("economy",),
            "uk": ("економіки",),
            "ru": ("экономики",),
            "az": ("iqtisadiyyat",),
            "tr": ("ekonomi",),
        },
        "republic": {
            "en": ("republic",),
            "uk": ("республіки", "республіка"),
            "ru": ("республики", "республика"),
            "az": ("respublikası", "respublika"),
            "tr": ("cumhuriyeti",),
            "kk": ("республикасы",),
            "de": ("republik",),
            "fr": ("république",),
            "es": ("república",),
        },
        "azerbaijan": {
            "en": ("azerbaijan", "azerbaijani"),
            "uk": ("азербайджану", "азербайджан", "азербайджанської"),
            "ru": ("азербайджана", "азербайджан", "азербайджанской"),
            "az": ("azərbaycan", "azərbaycanın"),
            "de": ("aserbaidschan",),
        },
        "ukraine": {
            "en": ("ukraine", "ukrainian"),
            "uk": ("україни", "україна", "українська", "український"),
            "ru": ("украины", "украина", "украинская"),
            "az": ("ukrayna",),
        },
        "russia": {
            "en": ("russia", "russian"),
            "uk": ("росії", "росія", "російська", "російської"),
            "ru": ("россии", "россия", "российская", "российской"),
            "az": ("rusiya",),
        },
        "kazakhstan": {
            "en": ("kazakhstan",),
            "ru": ("казахстана", "казахстан"),
            "uk": ("казахстану", "казахстан"),
            "kk": ("қазақстан",),
        },
        "turkey": {"en": ("turkey", "turkish", "turkiye"), "tr": ("türkiye", "türk"), "ru": ("турции", "турция")},
        "iraq": {"en": ("iraq", "iraqi"), "ru": ("ирака", "ирак")},
        "iran": {"en": ("iran", "iranian"), "ru": ("ирана", "иран")},
        "georgia": {"en": ("georgia", "georgian"), "ru": ("грузии", "грузия"), "az": ("gürcüstan",)},
        "poland": {"en": ("poland", "polish"), "pl": ("polska", "polski")},
        "germany": {"en": ("germany", "german"), "de": ("deutschland", "deutsche")},
        "china": {"en": ("china", "chinese"), "ru": ("китая", "китай")},
        "romania": {"en": ("romania", "romanian"), "ro": ("românia",)},
        "bulgaria": {"en": ("bulgaria", "bulgarian"), "bg": ("българия",)},
        "belarus": {"en": ("belarus", "belarusian"), "ru": ("беларуси", "беларусь")},
    }
)

#: Words of which a company name shares many with others: they weigh little.
GENERIC = frozenset(
    {"state", "national", "oil", "gas", "company", "holding", "group", "energy", "pipeline", "ministry", "republic"}
    | {
        "economy",
        "international",
        "global",
        "industries",
        "industry",
        "resources",
        "services",
        "refinery",
        "power",
        "bank",
    }
)

#: Countries among SAME_WORDS: they weigh less than a proper name and more than a generic word.
COUNTRIES = frozenset(
    {"azerbaijan", "ukraine", "russia", "kazakhstan", "turkey", "iraq", "iran", "georgia", "poland"}
    | {"germany", "china", "romania", "bulgaria", "belarus"}
)

#: Small words that names are compared without.
STOP_WORDS = frozenset(
    {"of", "the", "and", "for", "in", "de", "du", "des", "la", "le", "les", "del", "della", "der", "die", "und", "für"}
    | {"та", "и", "і", "з", "с", "ve", "və", "ile", "et", "y", "e", "i", "van", "von"}
)
