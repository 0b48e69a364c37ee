"""Code judges: what each one scores, and that a judge that cannot score never says 0."""

from typing import Any

import pytest

from specloop.improve.rubrics.judges import Case, UnknownJudge, judge_case, judge_for, judge_refs


def score(ref: str, output: Any, reference: Any = None, **args: Any) -> float | None:
    return judge_case(judge_for(ref), Case({}, output, reference), args).value


@pytest.mark.parametrize(
    ("ref", "output", "reference", "args", "expected"),
    [
        ("exact", {"a": 1}, {"a": 1}, {}, 1.0),
        ("exact", True, 1, {}, 0.0),
        ("exact", " Yes", "yes", {"fold": True}, 1.0),
        ("exact", {"x": {"y": 2}}, {"x": {"y": 2}, "z": 0}, {"field": "x.y"}, 1.0),
        ("set_f1", ["a", "b"], ["b", "c"], {}, 0.5),
        ("set_f1", [], [], {}, 1.0),
        ("numeric", 10.4, 10, {"absolute": 0.5}, 1.0),
        ("numeric", "10.6", 10, {"absolute": 0.5}, 0.0),
        ("numeric", "ten", 10, {}, 0.0),
        ("json_schema", '{"a": 1}', None, {"schema": {"required": ["a"]}}, 1.0),
        ("json_schema", {"b": 1}, None, {"schema": {"required": ["a"]}}, 0.0),
        ("json_schema", "no json", None, {"schema": {}}, 0.0),
        ("regex", "order 66", None, {"pattern": r"\d+"}, 1.0),
        ("regex", "order 66", None, {"pattern": r"\d+", "full": True}, 0.0),
        ("regex", "order", None, {"pattern": r"\d+", "absent": True}, 1.0),
        ("tool_call", {"tool": None}, {"tool": None}, {}, 1.0),
        ("tool_call", {"tool": "a"}, {"tool": None}, {}, 0.0),
        ("tool_call", {"tool": "a", "arguments": {"x": 1, "y": 3}}, {"tool": "a", "arguments": {"x": 1, "y": 2}},
         {"arguments": True}, 0.5),
        ("tool_call", {"tool": "a", "arguments": {"x": 2}}, {"tool": "a", "arguments": {"x": {"any_of": [1, 2]}}},
         {"arguments": True}, 1.0),
        ("contains", "Hello World", None, {"required": ["hello", "moon"]}, 0.5),
        ("contains", "Hello World", None, {"required": ["hello"], "forbidden": ["world"]}, 0.0),
        ("edit_similarity", "a  b", "A b", {}, 1.0),
        ("edit_similarity", "abcd", "abxy", {}, 0.5),
    ],
)  # fmt: skip
def test_scores(ref: str, output: Any, reference: Any, args: dict[str, Any], expected: float) -> None:
    assert score(ref, output, reference, **args) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ref", "output", "reference", "args"),
    [
        ("exact", "x", None, {}),
        ("exact", "x", {"y": 1}, {"field": "y"}),
        ("set_f1", "abc", ["a"], {}),
        ("numeric", 1, "one", {}),
        ("json_schema", {}, None, {}),
        ("json_schema", {}, None, {"schema": {"type": "nonsense"}}),
        ("regex", "x", None, {"pattern": "("}),
        ("tool_call", "text", {"tool": "a"}, {}),
        ("contains", "x", None, {}),
        ("edit_similarity", "x", 7, {}),
    ],
)
def test_what_cannot_be_scored_is_an_error_and_never_zero(
    ref: str, output: Any, reference: Any, args: dict[str, Any]
) -> None:
    finding = judge_case(judge_for(ref), Case({}, output, reference), args)
    assert (finding.outcome, finding.value) == ("error", None)
    assert finding.rationale


def test_all_judges_of_the_contract_are_registered() -> None:
    wanted = {"exact", "set_f1", "numeric", "json_schema", "regex", "tool_call", "contains", "edit_similarity"}
    assert wanted <= set(judge_refs())


def test_an_unknown_judge_names_the_known_ones() -> None:
    with pytest.raises(UnknownJudge, match="exact"):
        judge_for("oracle")
