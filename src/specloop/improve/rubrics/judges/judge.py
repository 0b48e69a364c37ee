"""The seam between an evaluation and whatever judges it (spectral.md §2.0). It must not know runtimes or scans."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Outcome = Literal["scored", "error", "timeout", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: the input an agent got, its output value, and the reference answer if there is one."""

    input: Any
    output: Any
    reference: Any = None


@dataclass(frozen=True, slots=True)
class Score:
    """A judge's finding in [0, 1]. `value` is None unless the outcome is `scored` (spectral.md §1.4 invariant 7)."""

    value: float | None
    outcome: Outcome = "scored"
    rationale: str = ""


class JudgeFailure(ValueError):
    """The judge cannot score this case, for example because it needs a reference and there is none."""


class Judge(Protocol):
    """Scores one dimension of one case. Raises: JudgeFailure when the case cannot be scored."""

    @property
    def ref(self) -> str:
        """The name that a rubric dimension's `judge.ref` refers to."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever equal cases may get another score; part of every verdict's identity."""
        ...

    @property
    def authority(self) -> Literal["reference", "rubric"]:
        """Whether the finding rests on a reference answer or on the rubric alone (spectral.md §2.5 `no-harm`)."""
        ...

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """The finding for one case under the dimension's `args`."""
        ...


def judge_case(judge: Judge, case: Case, args: Mapping[str, Any]) -> Score:
    """Score a case and turn every failure of the judge into `outcome: error`, never into 0.0."""
    try:
        return judge.score(case, args)
    except JudgeFailure as failure:
        return Score(None, "error", str(failure))
    except Exception as failure:  # a judge is a plug-in: whatever it raises, the scan goes on without its score
        return Score(None, "error", f"{type(failure).__name__}: {failure}")


def pick(value: Any, field: Any) -> Any:
    """The member `field` (a dotted path) of a JSON value, or the value itself without a field. Raises: JudgeFailure."""
    if not field:
        return value
    for name in str(field).split("."):
        if not isinstance(value, Mapping) or name not in value:
            raise JudgeFailure(f"the value has no member {field!r}")
        value = value[name]  # pyright: ignore[reportUnknownVariableType]  # JSON
    return value  # pyright: ignore[reportUnknownVariableType]  # JSON


def reference_of(case: Case, args: Mapping[str, Any]) -> Any:
    """The reference, or its member `args.reference_field`. Raises: JudgeFailure without a reference."""
    if case.reference is None:
        raise JudgeFailure("this judge needs a reference and the sample has none")
    return pick(case.reference, args.get("reference_field", args.get("field")))


def output_of(case: Case, args: Mapping[str, Any]) -> Any:
    """The output, or its member `args.field`. Raises: JudgeFailure if the member is missing."""
    return pick(case.output, args.get("field"))
