"""Static checks of a change set's edits (spectral.md §2.2 phase 7). Text comparison only: nothing is run or judged."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from specloop.improve.evaluation.model import Example
from specloop.improve.scans.problem import Edit, SafetyFinding
from specloop.improve.scans.space import Space, resolve
from specloop.run.runtime import Component

Check = Callable[[Edit, Component, str, str], str]

MAX_GROWTH = 3.0
_GROWTH_FREE = 400
_COPIED_WORDS = 12

_SECRETS = re.compile(
    r"sk_live_\w{8,}|sk-[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}|xox[abp]-[\w-]{10,}"
)
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.]{2,}|\b\d{3}-\d{2}-\d{4}\b|\b(?:\d[ -]?){13,16}\b|\+\d{1,3}[ -]?(?:\d[ -]?){8,12}"
)
_INJECTION = re.compile(
    r"ignore (?:all |any )?(?:the )?(?:previous|prior|above) (?:instructions|prompts?)"
    r"|disregard (?:all|the) (?:above|previous)|you are now |system prompt"
    r"|</?(?:system|assistant|user)>|\[/?INST\]|<\|im_(?:start|end)\|>",
    re.IGNORECASE,
)


def check_edits(
    space: Space, edits: Sequence[Edit], train: Sequence[Example], tools: Sequence[Mapping[str, Any]] = ()
) -> tuple[SafetyFinding, ...]:
    """Every objection to the edits: bounds, secrets, personal data, injections, copied input, growth, enabled tools."""
    sources = _Sources(train)
    found: list[SafetyFinding] = []
    for edit in edits:
        name, key = space.locate(edit.pointer)
        component = space.components[name]
        found.extend(_bounds(component, edit, key))
        text = _text(edit, key)
        if text:
            found.extend(_texts(edit, text, sources))
        if component.type == "text":
            found.extend(_growth(component, edit))
        found.extend(_tools(edit, tools))
    found.extend(_sizes(space, edits))
    return tuple(found)


class _Sources:
    """Finds long word runs that were copied from train inputs."""

    def __init__(self, train: Sequence[Example]) -> None:
        self._train = train
        self._runs: frozenset[str] | None = None

    def copied(self, text: str) -> bool:
        """Whether the text holds a run of a dozen words of some train input."""
        runs = list(_word_runs(text))
        if not runs:
            return False
        if self._runs is None:
            self._runs = frozenset(run for e in self._train for t in _strings(e.input) for run in _word_runs(t))
        return any(run in self._runs for run in runs)


def _bounds(component: Component, edit: Edit, key: str | None) -> Iterator[SafetyFinding]:
    value = edit.after
    is_number = component.type == "number" or (component.type == "map<text,number>" and key is not None)
    if is_number and value is not None and not component.minimum <= value <= component.maximum:
        yield SafetyFinding("bounds", edit.pointer, f"{value} is outside [{component.minimum}, {component.maximum}]")
    if component.type == "enum" and value not in component.choices:
        yield SafetyFinding("bounds", edit.pointer, f"{value!r} is not one of {', '.join(component.choices)}")


def _texts(edit: Edit, text: str, sources: _Sources) -> Iterator[SafetyFinding]:
    added = text if not isinstance(edit.before, str) else _added(edit.before, text)
    if _SECRETS.search(added):
        yield SafetyFinding("secret", edit.pointer, "looks like a credential")
    if _PERSONAL.search(added):
        yield SafetyFinding("personal_data", edit.pointer, "looks like personal data")
    if _INJECTION.search(added):
        yield SafetyFinding("prompt_injection", edit.pointer, "reads like an instruction to override instructions")
    if sources.copied(added):
        yield SafetyFinding("copied_input", edit.pointer, f"repeats {_COPIED_WORDS} words in a row of a train input")


def _growth(component: Component, edit: Edit) -> Iterator[SafetyFinding]:
    before, after = len(str(edit.before or "")), len(str(edit.after or ""))
    limit = min(component.max_chars, max(_GROWTH_FREE, int(before * MAX_GROWTH)))
    if after > limit:
        yield SafetyFinding("growth", edit.pointer, f"grew from {before} to {after} characters, limit {limit}")


def _sizes(space: Space, edits: Sequence[Edit]) -> Iterator[SafetyFinding]:
    for name, component in space.components.items():
        if component.type != "map<text,number>":
            continue
        own = [e for e in edits if e.pointer.startswith(f"{component.pointer}/")]
        grown = sum(e.op == "add" for e in own) - sum(e.op == "remove" for e in own)
        size = len(space.base.values[name] or {}) + grown
        if size > component.max_entries:
            yield SafetyFinding("growth", component.pointer, f"{size} entries, limit {component.max_entries}")


def _tools(edit: Edit, tools: Sequence[Mapping[str, Any]]) -> Iterator[SafetyFinding]:
    """A disabled tool is a decision of its owner: the optimiser may not switch it on."""
    match = re.fullmatch(r"/tools/(\d+)(/enabled)?", edit.pointer)
    if match is None:
        return
    enabled = edit.after if match[2] else resolve(edit.after, "/enabled")
    now_on = enabled is not False and edit.after is not None
    number = int(match[1])
    was_off = number < len(tools) and tools[number].get("enabled") is False
    if now_on and was_off:
        yield SafetyFinding("forbidden_tool", edit.pointer, f"enables {tools[number].get('name')}")


def _text(edit: Edit, key: str | None) -> str:
    parts = [key or "", edit.after if isinstance(edit.after, str) else ""]
    return "\n".join(part for part in parts if part)


def _added(before: str, after: str) -> str:
    """The lines of `after` that `before` does not hold: what stood there already is not this edit's doing."""
    old = set(before.splitlines())
    return "\n".join(line for line in after.splitlines() if line not in old)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in cast("Mapping[str, Any]", value).values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("Sequence[Any]", value):
            yield from _strings(inner)


def _word_runs(text: str) -> Iterator[str]:
    words = re.findall(r"\w+", text.casefold())
    for start in range(len(words) - _COPIED_WORDS + 1):
        yield " ".join(words[start : start + _COPIED_WORDS])
