"""Operators on word maps: words that speak for a tool (`hints`) and words that speak for calling nothing (`reject`)."""

from collections.abc import Iterable, Mapping

from specloop.improve.scans.operators.operator import Proposal, Reason, Record, Situation, clamp

_WORDS_PER_STEP = (8, 24, 64)
_SCALES = (0.1, 0.2, 0.4)
_ODDS_LIMIT = 4.0
_NEGLIGIBLE = 0.06


class HintAdd:
    """Adds telling words of requests whose right tool was not called."""

    name = "hint_add"
    kinds = frozenset({"missed_call", "wrong_tool"})
    roles = frozenset({"hints"})

    def propose(self, situation: Situation) -> Proposal | None:
        """New or stronger hints, weighted by log odds; None without a telling word."""
        component = situation.roles["hints"]
        hints: dict[str, float] = dict(situation.values[component.name])
        blamed = [r for r in situation.failures("missed_call", "wrong_tool") if r.expected]
        ranked: dict[str, float] = {}
        for record in blamed:
            for odds, word in situation.vocabulary.telling(record.terms, record.expected)[:4]:
                ranked[f"{record.expected}:{word}"] = odds
        return _strengthen(situation, component.name, hints, ranked, blamed, "words of requests whose tool was missed")


class RejectAdd:
    """Adds telling words of requests that no tool fits."""

    name = "reject_add"
    kinds = frozenset({"false_call"})
    roles = frozenset({"reject"})

    def propose(self, situation: Situation) -> Proposal | None:
        """New or stronger reject words, weighted by log odds; None without a telling word."""
        component = situation.roles["reject"]
        reject: dict[str, float] = dict(situation.values[component.name])
        blamed = situation.failures("false_call")
        ranked = {w: odds for r in blamed for odds, w in situation.vocabulary.telling(r.terms, "", 3)[:6]}
        return _strengthen(situation, component.name, reject, ranked, blamed, "words of requests that no tool fits")


class Decay:
    """Halves the entries that fired on failing requests they should not have fired on, and drops negligible ones."""

    def __init__(self, name: str, role: str, kinds: frozenset[str]) -> None:
        self.name = name
        self.kinds = kinds
        self.roles = frozenset({role})
        self._role = role

    def propose(self, situation: Situation) -> Proposal | None:
        """The map with the blamed entries weakened; None if none fired."""
        component = situation.roles[self._role]
        entries: dict[str, float] = dict(situation.values[component.name])
        blamed = situation.failures(*self.kinds)
        fired = sorted({key for record in blamed for key in _fired(self._role, entries, record)})
        if not fired:
            return None
        for key in fired:
            weaker = clamp(component, entries.pop(key) / 2)
            if abs(weaker) >= _NEGLIGIBLE:
                entries[key] = weaker
        rationale = f"{len(fired)} entries fired on failing requests"
        sample_ids = tuple(r.sample_id for r in blamed)
        reasons = {
            f"{component.name}/{key}": Reason(
                "weakened: it fired on failing requests",
                tuple(r.sample_id for r in blamed if key in _fired(self._role, {key: 1.0}, r)),
            )
            for key in fired
        }
        return Proposal({component.name: entries}, rationale, sample_ids, reasons)


def _strengthen(
    situation: Situation,
    name: str,
    entries: Mapping[str, float],
    ranked: Mapping[str, float],
    blamed: Iterable[Record],
    reason: str,
) -> Proposal | None:
    """Raise the best-ranked entries in proportion to their log odds, by the scale that does best on the batch."""
    component = situation.components[name]
    best = sorted(ranked.items(), key=lambda item: (-item[1], item[0]))[: situation.rng.choice(_WORDS_PER_STEP)]
    room = max(0, min(component.max_entries - len(entries), situation.max_edits - situation.edits))
    new = [key for key, _ in best if key not in entries][room:]
    best = [(key, odds) for key, odds in best if key not in new]
    if not best:
        return None
    current = situation.probe({})
    tried: list[tuple[float, float, dict[str, float]]] = []
    for scale in _SCALES:
        changed = dict(entries)
        for key, odds in best:
            changed[key] = clamp(component, entries.get(key, 0.0) + scale * min(odds, _ODDS_LIMIT))
        # Among equally good scales the smallest: a light hint does less harm elsewhere.
        tried.append((situation.probe({name: changed}), -scale, changed))
    found, _, chosen = max(tried, key=lambda entry: entry[:2])
    if found <= current:
        return None
    keys = tuple(sorted(key for key, _ in best))
    sample_ids = tuple(record.sample_id for record in blamed)
    return Proposal({name: chosen}, f"{reason}: {', '.join(keys)}", sample_ids)


def _fired(role: str, entries: dict[str, float], record: Record) -> list[str]:
    if role == "hints":
        return [key for word in record.terms if (key := f"{record.top}:{word}") in entries]
    return [word for word in record.terms if word in entries]


OPERATORS = (
    HintAdd(),
    RejectAdd(),
    Decay("hint_decay", "hints", frozenset({"false_call", "wrong_tool"})),
    Decay("reject_decay", "reject", frozenset({"missed_call"})),
)
