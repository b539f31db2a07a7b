"""Time the resolution of invented companies against as many known ones: `python -m bench.identity --rows 100000`."""

from __future__ import annotations

import argparse
import random
from time import perf_counter

from layers.model.records import Entity, Identity, Records, Source, Stake
from layers.resolution.resolve import apply_judgements, resolve
from layers.text import company_names

SYLLABLES = ("ba", "bel", "dor", "fin", "gaz", "kra", "len", "mir", "nov", "ost", "pol", "ros", "sib", "tor", "ural")
KINDS = ("Oil Company", "Gas", "Energy", "Trading", "Refinery", "Pipeline Company", "Holding", "Transport", "Invest")
FORMS = ("LLC", "PJSC", "Ltd", "GmbH", "S.A.", "B.V.", "Inc.")
COUNTRIES = ("AZ", "UA", "RU", "KZ", "DE", "US", "CN", "TR")
CYRILLIC = str.maketrans("abdefgiklmnoprstuvz", "абдефгиклмнопрстувз")


def invented(rows: int, seed: int) -> list[Entity]:
    """Make companies of two invented words, a kind, a legal form and a country."""
    rng = random.Random(seed)
    entities = []
    for row in range(rows):
        words = " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(3, 4))).capitalize() for _ in range(2))
        name = f"{words} {rng.choice(KINDS)} {rng.choice(FORMS)}"
        country = rng.choice(COUNTRIES)
        entities.append(
            Entity(id=f"k{row}", name=name, type="registeredEntity", registered_in=country, checked="unverified")
        )
    return entities


def seen_elsewhere(known: list[Entity], seed: int) -> tuple[list[Entity], dict[str, str]]:
    """Half of the entities under another form, spelling, script or with a typo, half new; and the true pairs."""
    rng = random.Random(seed)
    new = invented(len(known) // 2, seed + 1)
    entities = [entity.model_copy(update={"id": f"n{row}"}) for row, entity in enumerate(new)]
    truth = {}
    for row, entity in enumerate(rng.sample(known, len(known) - len(entities))):
        entities.append(entity.model_copy(update={"id": f"s{row}", "name": changed(entity.name, rng)}))
        truth[f"s{row}"] = entity.id
    return entities, truth


def changed(name: str, rng: random.Random) -> str:
    """Write a name with another legal form, and a third each in Cyrillic, with a typo, or as it is."""
    bare = name.rsplit(" ", 1)[0]
    first, rest = bare.split(" ", 1)
    kind = rng.randrange(3)
    if kind == 0:
        first = first.lower().translate(CYRILLIC)
    elif kind == 1:
        at = rng.randrange(5, len(first)) if len(first) > 6 else len(first)
        first = first[:at] + first[at + 1 :]
    return f"{first} {rest} {rng.choice(FORMS)}"


def table(entities: list[Entity]) -> Records:
    """Records of entities alone."""
    return Records.of({"entities": {entity.id: entity for entity in entities}})


def judged(known: list[Entity], merges: int) -> Records:
    """Records with as many stakes as entities, and judgements that make pairs of them one."""
    rng = random.Random(5)
    stakes = {}
    for row in range(len(known)):
        owned, second = rng.sample(known, 2)
        stakes[f"t{row}"] = Stake(
            id=f"t{row}", owned=owned.id, owner=second.id, share_min=50, share_max=50, source="s", checked="read"
        )
    pairs = [(known[2 * row].id, known[2 * row + 1].id) for row in range(merges)]
    identities = {
        f"j{row}": Identity(id=f"j{row}", one=a, other=b, verdict="same", who="b", when="2026", why="b")
        for row, (a, b) in enumerate(pairs)
    }
    sources = {"s": Source(id="s", publisher="S")}
    entities = {entity.id: entity for entity in known}
    return Records.of({"entities": entities, "stakes": stakes, "identities": identities, "sources": sources})


def main() -> None:
    """Print the times, and how many of the true pairs are proposed, first and at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    known = invented(rows, 1)
    incoming, truth = seen_elsewhere(known, 2)
    company_names.fold.cache_clear()
    start = perf_counter()
    resolution = resolve(table(known), table(incoming))
    took = perf_counter() - start
    candidates: dict[str, list[str]] = {}
    for proposal in resolution.proposals:
        candidates.setdefault(proposal.incoming, []).append(proposal.known)
    first = sum(candidates.get(name, [""])[0] == owned for name, owned in truth.items())
    sample = sum(owned in candidates.get(name, ()) for name, owned in truth.items())
    false = sum(name not in truth for name in candidates)
    print(f"resolve {rows:,} x {rows:,}: {took:.1f} s, {len(resolution.proposals):,} proposals")
    print(f"true pairs {len(truth):,}: first {first / len(truth):.1%}, among the candidates {sample / len(truth):.1%}")
    print(f"new entities {rows - len(truth):,}: with a candidate {false / (rows - len(truth)):.1%}")
    merged = judged(known, rows // 10)
    start = perf_counter()
    left = len(apply_judgements(merged).entities)
    print(
        f"apply {rows // 10:,} judgements, {rows:,} entities and stakes: {perf_counter() - start:.1f} s, {left:,} left"
    )


if __name__ == "__main__":
    main()
