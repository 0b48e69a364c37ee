"""Checks a request and, when it passes, executes it."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Final

from graphql import ExecutionResult, OperationDefinitionNode
from graphql import execute as execute_operation  # pyright: ignore[reportUnknownVariableType]  (its middleware)
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.graphql import answers
from specloop.app.graphql.documents import Prepared, check_variables, is_introspection_only, operation_of, prepare
from specloop.app.graphql.reading import Reading
from specloop.app.graphql.requests import Asked
from specloop.app.graphql.schema import SCHEMA
from specloop.errors import BadRequest, Unauthenticated, Unavailable, ValidationFailed

SECONDS_MAX: Final = 20.0
"""A query that takes longer is given up; the bounds make that a sign of trouble elsewhere."""


async def execute(request: Request, asked: Asked, reading: Reading) -> Response:
    """The answer to a query of a known caller; `reading` is what its fields read from.

    Raises: Unavailable when it takes too long.
    """
    try:
        prepared, operation = _accepted(asked)
    except (BadRequest, ValidationFailed) as error:
        return answers.refusal(request, error)
    return answers.answer(request, await _result(prepared, operation, asked, reading))


async def introspect(request: Request, asked: Asked) -> Response:
    """The answer to a query for the schema alone.

    Raises: Unauthenticated when it asks for anything else.
    """
    try:
        prepared, operation = _accepted(asked)
    except (BadRequest, ValidationFailed) as error:
        return answers.refusal(request, error)
    if not is_introspection_only(prepared, operation):
        raise Unauthenticated
    return answers.answer(request, await _result(prepared, operation, asked, None))


def _accepted(asked: Asked) -> tuple[Prepared, OperationDefinitionNode]:
    prepared = prepare(SCHEMA, asked.query)
    operation = operation_of(prepared, asked.operation_name)
    check_variables(SCHEMA, prepared, operation, asked.variables)
    return prepared, operation


async def _result(
    prepared: Prepared, operation: OperationDefinitionNode, asked: Asked, reading: Reading | None
) -> ExecutionResult:
    name = operation.name.value if operation.name is not None else None
    outcome = execute_operation(
        SCHEMA,
        prepared.document,
        context_value=reading,
        variable_values=dict(asked.variables),
        operation_name=name,
    )
    if isinstance(outcome, ExecutionResult):
        return outcome
    try:
        async with asyncio.timeout(SECONDS_MAX), reading or nullcontext():
            return await outcome
    except TimeoutError as error:
        raise Unavailable("the query took too long; ask for less", retry_after=5) from error
