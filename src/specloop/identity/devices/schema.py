"""Device sign-in on the wire: spellings are SpecStory's (specstory.md §1.1), the list is ours."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from specloop.identity.devices.model import AccessToken, Device, DeviceCode, LinkedDevice, Origin
from specloop.kit.clock import format_time
from specloop.transport.schema import Moment, Output


def _shortened(value: Any) -> Any:
    """Text that every store can keep; halves of surrogate pairs, which JSON can write, become U+FFFD."""
    if not isinstance(value, str):
        return ""
    whole = value[:1_000].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "")[:255]


Said = Annotated[str, BeforeValidator(_shortened), Field(description="Shown to the owner, never trusted")]


class DeviceLogin(BaseModel):
    """What a device sends to be linked; members that we do not know are ignored."""

    model_config = ConfigDict(extra="ignore")

    device_code: Annotated[str, Field(max_length=100)]
    hostname: Said = ""
    username: Said = ""
    os: Said = ""
    os_version: Said = ""
    os_display_name: Said = ""
    architecture: Said = ""
    client: Said = ""
    client_version: Said = ""

    def origin(self) -> Origin:
        """What the device says about itself."""
        return Origin(**self.model_dump(exclude={"device_code"}))


class DeviceUser(Output):
    """Whose device it is."""

    email: str


class DeviceLoginBody(Output):
    """The answer to a good code; not enveloped."""

    refreshToken: str  # noqa: N815
    createdAt: str  # noqa: N815
    expiresAt: str  # noqa: N815
    user: DeviceUser


class DeviceRefreshBody(Output):
    """An access token; not enveloped."""

    accessToken: str  # noqa: N815
    createdAt: str  # noqa: N815
    expiresAt: str  # noqa: N815


class DeviceLogoutBody(Output):
    """The answer to a log-out."""

    success: bool


class DeviceBody(Output):
    """A linked device."""

    device_id: str
    name: str
    hostname: str
    username: str
    os: str
    os_version: str
    os_display_name: str
    architecture: str
    client: str
    client_version: str
    client_ip: str
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment


class DeviceCodeBody(Output):
    """A one-time code as a device sends it, and the moment it ends; a replayed answer has no code."""

    code: str | None
    expires_at: Moment


def render_login(linked: LinkedDevice) -> dict[str, Any]:
    """The members of `DeviceLoginBody`."""
    return {
        "refreshToken": linked.refresh_token,
        **_times(linked.device.created_at, linked.device.expires_at),
        "user": {"email": linked.email},
    }


def render_access(fresh: AccessToken) -> dict[str, Any]:
    """The members of `DeviceRefreshBody`."""
    return {"accessToken": fresh.token, **_times(fresh.created_at, fresh.expires_at)}


def _times(created_at: datetime, expires_at: datetime) -> dict[str, str]:
    return {"createdAt": format_time(created_at), "expiresAt": format_time(expires_at)}


def render_device(device: Device) -> dict[str, Any]:
    """The members of `DeviceBody`."""
    said = {name: getattr(device.origin, name) for name in Origin.__slots__}
    return {
        "device_id": device.id,
        "name": device.name,
        **said,
        "client_ip": device.client_ip,
        "created_at": device.created_at,
        "last_used_at": device.last_used_at,
        "expires_at": device.expires_at,
    }


def render_code(fresh: DeviceCode) -> dict[str, Any]:
    """The members of `DeviceCodeBody`."""
    return {"code": fresh.code, "expires_at": fresh.expires_at}
