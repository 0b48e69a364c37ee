"""Scores 1 when the output satisfies a JSON schema (draft 2020-12). A text output is parsed as JSON first."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from specloop.improve.rubrics.judges.judge import Case, JudgeFailure, Score, output_of
from specloop.kit.json import JSONDecodeError, dumps, loads


class JsonSchemaJudge:
    """args: `schema`, `field?`."""

    ref = "json_schema"
    version = "1"
    authority: Literal["reference", "rubric"] = "rubric"

    def score(self, case: Case, args: Mapping[str, Any]) -> Score:
        """1.0 or 0.0 with the first violation. Raises: JudgeFailure when the schema itself is missing or invalid."""
        if "schema" not in args:
            raise JudgeFailure("`json_schema` needs `schema`")
        value = output_of(case, args)
        if isinstance(value, str):
            try:
                value = loads(value)
            except JSONDecodeError:
                return Score(0.0, rationale="the output is not JSON")
        violation = _first_violation(_validator(dumps(args["schema"])), value)
        return Score(0.0, rationale=violation) if violation else Score(1.0)


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Draft202012Validator:
    parsed = loads(schema)
    try:
        Draft202012Validator.check_schema(parsed)
    except SchemaError as error:
        raise JudgeFailure(f"the schema is invalid: {error.message}") from None
    return Draft202012Validator(parsed)


def _first_violation(validator: Draft202012Validator, value: Any) -> str:
    errors = sorted(
        cast("Any", validator).iter_errors(value), key=lambda e: (list(map(str, e.absolute_path)), e.message)
    )
    return f"{errors[0].json_path}: {errors[0].message}"[:300] if errors else ""


JUDGE = JsonSchemaJudge()
