"""Whether a regular expression is matched in time linear in its text, proved on its automaton.

Python's matcher backtracks. A pattern takes more than linear time only if its automaton has two states p and q and a
word v with paths p-v->p, p-v->q and q-v->q: v repeated n times can then be split between them in n ways, and a tail
that does not fit makes the matcher try each (Weber and Seidl 1991, doi:10.1016/0304-3975(91)90381-B; Weideman et al.
2016, doi:10.1007/978-3-319-40946-7_27). A search is a match behind a loop over all characters, so a start that is tried
at each position is such a p as well.

What cannot be modelled counts against the pattern, so a pattern that passes is linear:

* counts above ``_UNROLLED`` are unbounded, a back reference reads anything, and a lookahead is passed or is not;
* a q that has matched already ends the attempt, and the next one begins behind it; behind an assertion it may not have;
* what an atomic group has read is not tried in another way from behind it on;
* a possessive repeat of one character is left only before one that it does not take.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeAlias

from re import _compiler, _constants as op, _parser  # type: ignore[attr-defined]  # isort: skip

#: How a pattern is used: at the start of a text, on the whole of it, or anywhere in it.
Use: TypeAlias = Literal["match", "fullmatch", "search"]
#: Largest count of a repeat that is written out; one that is larger is taken for unbounded.
_UNROLLED = 20
#: Characters of the kinds that categories distinguish; those of the pattern and their neighbours join them.
_SAMPLES = "aZ5_ \n\t\u00a0\u2028\u00e9\u0416\u4e00\u0660-.,;:!\"'()[]{}%/\\~\x00\x7f"


class NotModelled(Exception):
    """A construct that the proof does not know; the pattern is to be written in another way."""


@dataclass(frozen=True)
class Guard:
    """What has to hold to go on without reading: sets of characters before and behind, and ``None`` for no character.

    ``certain`` is False where it may not hold although both do.
    """

    before: frozenset[str | None] | None = None
    behind: frozenset[str | None] | None = None
    certain: bool = True


@dataclass
class Automaton:
    """States that each read one character (``reads``), or none, and the ways on from a state without reading."""

    alphabet: tuple[str, ...]
    reads: list[frozenset[str]] = field(default_factory=list)
    ways: list[list[tuple[int, Guard]]] = field(default_factory=list)
    #: The states of each atomic group.
    atomic: list[frozenset[int]] = field(default_factory=list)

    def state(self, reads: Iterable[str] = ()) -> int:
        """Add a state."""
        self.reads.append(frozenset(reads))
        self.ways.append([])
        return len(self.reads) - 1


class _Builder:
    """Writes a parsed pattern as an automaton: reading states are entered by ways, and left behind their character."""

    def __init__(self, parsed: Any) -> None:
        self._state = parsed.state
        self._groups: dict[int, Any] = {}
        alphabet = tuple(dict.fromkeys([*_SAMPLES, *_mentioned(parsed)]))
        self.automaton = Automaton(alphabet)

    def build(self, nodes: Iterable[Any], end: int) -> int:
        """Add nodes that go on to ``end``; return the state before them."""
        for kind, value in reversed(list(nodes)):
            end = self._node(kind, value, end)
        return end

    def _node(self, kind: Any, value: Any, end: int) -> int:
        if kind in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            return self._reading(self.characters((kind, value)), end)
        if kind is op.SUBPATTERN:
            group, added, removed, body = value
            if added or removed:
                raise NotModelled("flags of a group")
            self._groups[group] = body
            return self.build(body, end)
        if kind is op.BRANCH:
            return self._before(*((self.build(body, end), Guard()) for body in value[1]))
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            return self._repeat(*value, end, kind is op.POSSESSIVE_REPEAT)
        if kind is op.ATOMIC_GROUP:
            first = len(self.automaton.reads)
            begin = self.build(value, end)
            self.automaton.atomic.append(frozenset(range(first, len(self.automaton.reads))))
            return begin
        if kind is op.AT:
            return self._before((end, _position(value, self._state.flags, self.automaton.alphabet)))
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._before((end, self._assertion(kind, *value)))
        if kind is op.GROUPREF:
            return self.build(self._groups[value], end) if value in self._groups else self._any(end)
        raise NotModelled(str(kind))

    def characters(self, leaf: tuple[Any, Any]) -> frozenset[str]:
        """Return the characters that a node of one character takes."""
        compiled = _compiler.compile(_parser.SubPattern(self._state, [leaf]), self._state.flags)
        return frozenset(sign for sign in self.automaton.alphabet if compiled.fullmatch(sign))

    def _reading(self, characters: frozenset[str], end: int) -> int:
        at = self.automaton.state(characters)
        self.automaton.ways[at].append((end, Guard()))
        return at

    def _any(self, end: int) -> int:
        return self._reading(frozenset(self.automaton.alphabet), end)

    def _before(self, *ways: tuple[int, Guard]) -> int:
        at = self.automaton.state()
        self.automaton.ways[at] += ways
        return at

    def _repeat(self, least: int, most: int, body: Any, end: int, possessive: bool) -> int:
        least = min(least, _UNROLLED)
        out = Guard()
        if possessive and len(body) == 1 and body[0][0] in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            others = {*self.automaton.alphabet, None} - self.characters(body[0])
            out = Guard(behind=frozenset(others)) if most > _UNROLLED else Guard()
        if most > _UNROLLED:
            loop = self.automaton.state()
            self.automaton.ways[loop] += [(self.build(body, loop), Guard()), (end, out)]
            end = loop
        else:
            for _ in range(most - least):
                end = self._before((self.build(body, end), Guard()), (end, Guard()))
        for _ in range(least):
            end = self.build(body, end)
        return end

    def _assertion(self, kind: Any, direction: int, body: Any) -> Guard:
        low, high = body.getwidth()
        if high > _UNROLLED:
            raise NotModelled("an assertion of unbounded width")
        if low == high == 1 and len(body) == 1 and body[0][0] in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            taken: frozenset[str | None] = frozenset(self.characters(body[0]))
            if kind is op.ASSERT_NOT:
                taken = frozenset({*self.automaton.alphabet, None} - taken)
            return Guard(before=taken) if direction < 0 else Guard(behind=taken)
        return Guard(certain=False)


def _mentioned(nodes: Any) -> Iterator[str]:
    """Yield the characters that a parsed pattern names, and those beside them, in both cases."""
    for value in _numbers(nodes):
        for code in (value - 1, value, value + 1):
            if 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000:
                yield from (chr(code), *chr(code).upper()[:1], *chr(code).lower()[:1])


def _numbers(nodes: Any) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, tuple) and node and node[0] in (op.LITERAL, op.NOT_LITERAL):
            yield node[1]
        elif isinstance(node, tuple) and node and node[0] is op.RANGE:
            yield from node[1]
        elif isinstance(node, list | tuple | _parser.SubPattern):
            yield from _numbers(node)


def _position(where: Any, flags: int, alphabet: tuple[str, ...]) -> Guard:
    r"""Return what a position such as ``^`` or ``\b`` asks of the characters around it."""
    lines = bool(flags & re.MULTILINE)
    if where in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
        return Guard(before=frozenset({None, "\n"} if lines and where is op.AT_BEGINNING else {None}))
    if where is op.AT_END:
        return Guard(behind=frozenset({None, "\n"}), certain=lines)
    if where is op.AT_END_STRING:
        return Guard(behind=frozenset({None}))
    return Guard(certain=False)


@dataclass(frozen=True)
class Proof:
    """Outcome for a pattern: no word, or the ``word`` that can be split in as many ways as it is repeated."""

    word: str | None

    def __bool__(self) -> bool:
        return self.word is None


#: A reading state that has just been read, and the character before the next one.
_START, _END = 0, 1


class _Graph:
    """Reading states only: which follow one another over a character, by how many ways."""

    def __init__(self, parsed: Any, use: Use) -> None:
        builder = _Builder(parsed)
        auto = builder.automaton
        start, end = auto.state(auto.alphabet), auto.state()
        assert (start, end) == (_START, _END)
        begin = builder.build(parsed, end)
        if use == "search":
            auto.ways[start] += [(begin, Guard()), (start, Guard())]
        self.automaton, self._use, self._begin = auto, use, begin
        self.alphabet = self._classes()
        guards = [guard for ways in auto.ways for _, guard in ways]
        #: Whether what follows depends on the character before.
        self.looks_back = any(guard.before is not None for guard in guards)
        self.steps = cache(self._steps)
        self.matched = cache(self._matched)

    def _classes(self) -> tuple[str, ...]:
        """Return one character of each kind that no state or guard distinguishes."""
        sets = {*self.automaton.reads}
        for _, guard in itertools.chain.from_iterable(self.automaton.ways):
            sets |= {frozenset(s for s in one if s) for one in (guard.before, guard.behind) if one is not None}
        ordered = list(sets)
        kinds = {tuple(sign in one for one in ordered): sign for sign in reversed(self.automaton.alphabet)}
        return tuple(kinds.values())

    def _steps(self, state: int, before: str, sign: str) -> tuple[int, ...]:
        """Return the states that read ``sign`` next, one for each way there; ``before`` is what ``state`` read."""
        return tuple(self._reach(state, before, sign, ()))

    def _reach(self, state: int, before: str, sign: str, passed: tuple[int, ...]) -> Iterator[int]:
        for following, guard in self.automaton.ways[state]:
            if guard.before is not None and before not in guard.before:
                continue
            if guard.behind is not None and sign not in guard.behind:
                continue
            if self.automaton.reads[following]:
                if sign in self.automaton.reads[following]:
                    yield following
            # Twice, as a loop within a loop goes on by the outer one as well.
            elif passed.count(following) < 2:
                yield from self._reach(following, before, sign, (*passed, following))

    def _matched(self, state: int) -> bool:
        """Whether an attempt that has read ``state`` has matched for certain, whatever follows."""
        if self._use == "fullmatch":
            return False
        waiting, seen = [state], set[int]()
        while waiting:
            for following, guard in self.automaton.ways[waiting.pop()]:
                if following in seen or guard != Guard():
                    continue
                if following == _END:
                    return True
                seen.add(following)
                if not self.automaton.reads[following]:
                    waiting.append(following)
        return False

    def reading(self) -> list[int]:
        """Return the states that read, of which the start is one where it is tried at each position."""
        return [
            at for at, reads in enumerate(self.automaton.reads) if reads and (at != _START or self.automaton.ways[at])
        ]

    def reachable(self, state: int) -> set[int]:
        """Return the states that may be read after one."""
        return _closure(
            state, lambda at: {n for b in self._contexts(at) for s in self.alphabet for n in self.steps(at, b, s)}
        )

    def _contexts(self, state: int) -> Iterable[str]:
        return (
            [sign for sign in self.alphabet if sign in self.automaton.reads[state]]
            if self.looks_back
            else self.alphabet[:1]
        )

    def word(self) -> str | None:
        """Return a word that pumps, ``None`` where there is none."""
        reach = {state: self.reachable(state) for state in self.reading()}
        looping = [state for state in reach if state in reach[state]]
        for state in looping:
            if word := self._twofold(state, reach):
                return word
        for p, q in itertools.product(looping, looping):
            if p == q or q not in reach[p] or self.matched(q) or self._given_up(p, q, reach):
                continue
            if (word := self._between(p, q, reach)) is not None:
                return word
        return None

    def _given_up(self, p: int, q: int, reach: dict[int, set[int]]) -> bool:
        """Whether an atomic group that p never leaves ends before q: from q on, p is not tried again."""
        loop = {state for state in reach[p] if p in reach[state]}
        return any(loop <= group and q not in group for group in self.automaton.atomic)

    def _twofold(self, state: int, reach: dict[int, set[int]]) -> str | None:
        """Return a character that is read by two ways from one state to one other within a loop."""
        for before, sign in itertools.product(self._contexts(state), self.alphabet):
            onward = [other for other in self.steps(state, before, sign) if state in reach[other]]
            if len(onward) > len(set(onward)) and not self.matched(onward[0]):
                return sign
        return None

    def _between(self, p: int, q: int, reach: dict[int, set[int]]) -> str | None:
        """Return a word v of paths p-v->p, p-v->q and q-v->q whose last has matched nowhere."""
        on_p = {state for state in reach[p] if p in reach[state]}
        on_q = {state for state in reach[q] if q in reach[state] and not self.matched(state)}
        between = {state for state in reach[p] if q in reach[state]}
        begins = [(p, p, q, before) for before in self._contexts(p) if before in self._contexts(q)]
        words = dict.fromkeys(begins, "")
        while begins:
            here = begins.pop()
            a, b, c, before = here
            for sign in self.alphabet:
                steps = [self.steps(state, before, sign) for state in (a, b, c)]
                for x, y, z in itertools.product(*steps):
                    there = (x, y, z, sign if self.looks_back else before)
                    if x in on_p and y in between and z in on_q and there not in words:
                        words[there] = words[here] + sign
                        begins.append(there)
                        if (x, y, z) == (p, q, q):
                            return words[there]
        return None


def _closure(start: int, following: Any) -> set[int]:
    seen, waiting = set[int](), [start]
    while waiting:
        for state in following(waiting.pop()) - seen:
            seen.add(state)
            waiting.append(state)
    return seen


def prove(pattern: str | bytes, flags: int = 0, use: Use = "search") -> Proof:
    """Prove that a pattern takes linear time, or give the word that shows that it may not.

    Raises
    ------
    NotModelled
        If it has a construct that the proof does not know.
    """
    return Proof(_Graph(_parser.parse(pattern, flags), use).word())
