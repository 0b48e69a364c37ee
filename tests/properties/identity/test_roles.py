"""Laws of scopes: a lower role never holds more than a higher one, and keys hold their two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specloop.identity.scopes import (
    KEY_SCOPES,
    OPERATIONS_SCOPES,
    AccountRole,
    WorkspaceRole,
    account_scopes,
    workspace_scopes,
)

RANKS = [None, WorkspaceRole.OBSERVER, WorkspaceRole.CONTRIBUTOR, WorkspaceRole.ADMIN]


@given(st.integers(0, 3), st.integers(0, 3))
def test_a_higher_place_holds_at_least_as_much(first: int, second: int) -> None:
    low, high = sorted((first, second))
    assert workspace_scopes(AccountRole.MEMBER, RANKS[low]) <= workspace_scopes(AccountRole.MEMBER, RANKS[high])
    assert workspace_scopes(AccountRole.MEMBER, RANKS[high]) <= workspace_scopes(AccountRole.OWNER, None)
    assert workspace_scopes(AccountRole.OWNER, RANKS[low]) <= workspace_scopes(AccountRole.OPERATIONS, None)


@given(st.sampled_from(list(AccountRole)), st.sampled_from(RANKS))
def test_only_staff_hold_operations_scopes(role: AccountRole, place: WorkspaceRole | None) -> None:
    held = account_scopes(role) | workspace_scopes(role, place)
    assert bool(held & OPERATIONS_SCOPES) == (role is AccountRole.OPERATIONS)


def test_keys_hold_exactly_two_scopes() -> None:
    assert sorted(KEY_SCOPES) == ["read:agents", "write:traces"]
