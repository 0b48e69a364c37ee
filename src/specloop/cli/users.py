"""`specloop users` and `specloop accounts`: for the operator of this machine's server; nobody has to be signed in."""

from __future__ import annotations

import typer

from specloop.cli.operator import Config, Data, operator_of, settings_of
from specloop.cli.output import AsJSON, print_json, say

users_app = typer.Typer(help="Users of this machine's server, for its operator.", no_args_is_help=True)
accounts_app = typer.Typer(help="Accounts of this machine's server, for its operator.", no_args_is_help=True)


@users_app.command("reset-link")
def make_reset_link(
    context: typer.Context, email: str, data: Data = None, config: Config = None, as_json: AsJSON = False
) -> None:
    """Make a link that sets a new password; good once, for an hour."""
    link = operator_of(context).make_reset_link(settings_of(data, config), email)
    if as_json:
        print_json({"email": email, "url": link})
    else:
        say(link)


@users_app.command("make-staff")
def make_staff(
    context: typer.Context, email: str, data: Data = None, config: Config = None, as_json: AsJSON = False
) -> None:
    """Give a user the operations role of this server."""
    operator_of(context).make_staff(settings_of(data, config), email)
    if as_json:
        print_json({"email": email, "account_role": "operations"})
    else:
        say(f"{email} is staff now.")


@accounts_app.command("restore")
def restore_account(
    context: typer.Context, account: str, data: Data = None, config: Config = None, as_json: AsJSON = False
) -> None:
    """Open a closed account again, within its grace period."""
    operator_of(context).restore_account(settings_of(data, config), account)
    if as_json:
        print_json({"account_id": account, "status": "active"})
    else:
        say(f"Account {account} is open again.")
