"""Every setting of the program, from flags, then `SPECLOOP_*`, then `specloop.toml`, then defaults.

This is the only place that reads the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from specloop.errors import StartupError

ENV_PREFIX = "SPECLOOP_"
FILE_NAME = "specloop.toml"
_NO_SETTINGS = ("CONFIG", "SERVER_URL", "TOKEN")
"""Variables that say where the settings are, and to which server the command line speaks."""
SMALL = 1024
Texts = Annotated[list[str], NoDecode]


class Role(StrEnum):
    """Which part of the work a process does."""

    ALL = "all"
    API = "api"
    INGEST = "ingest"
    WORKER = "worker"


class BadSetting(StartupError):
    """A setting has a value that is not allowed."""

    code = "bad-setting"
    exit_code = 2


class OAuthProvider(BaseModel):
    """One sign-in provider that speaks OpenID Connect."""

    client_id: str
    client_secret: SecretStr
    issuer: str = Field(description="Issuer address; discovery is read from it")
    scopes: str = "openid email profile"
    label: str = ""


class Settings(BaseSettings):
    """The settings; each is also `SPECLOOP_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid")

    listen: Texts = Field(["127.0.0.1:8000"], description="Addresses to serve on, each ADDR:PORT")
    data: Path = Field(Path("~/.specloop"), description="Data folder (mode 0700)")
    state_url: str = Field("", description="State store, sqlite:///… or postgresql://…; default: in the data folder")
    telemetry_url: str = Field(
        "", description="Telemetry store, chdb://… or clickhouse://…; default: in the data folder"
    )
    blob_url: str = Field("", description="Blob store, file:///… or s3://bucket/prefix; default: in the data folder")
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Secret shared by all processes of one installation; default: in the data folder",
    )
    redis_url: str = Field("", description="Redis for rate limits that many processes share; default: memory")
    role: Role = Field(Role.ALL, description="What this process does")
    public_url: str = Field("", description="Address under which users reach the server; default: the first listener")
    allowed_hosts: Texts = Field([], description="Host names answered besides loopback and the listeners' own")
    allowed_origins: Texts = Field([], description="Origins that browsers may call from besides the server's own")
    allow_plain_http: bool = Field(False, description="Accept plain HTTP from other machines (behind a TLS proxy)")
    tls_certificate: Path | None = Field(None, description="PEM certificate chain instead of the self-made one")
    tls_key: Path | None = Field(None, description="PEM private key of tls_certificate")
    registration: Literal["auto", "open", "invite"] = Field(
        "auto", description="Who may register; auto: open while every listener is loopback, else by invitation"
    )
    password_length_min: int = Field(6, ge=6, le=128, description="Shortest password accepted")
    rate_user_per_minute: int = Field(600, ge=1, description="Requests per minute for each user")
    rate_key_per_minute: int = Field(6000, ge=1, description="Requests per minute for each key")
    rate_personal_key_per_hour: int = Field(1000, ge=1, description="Requests per hour for each personal key")
    rate_personal_key_graphql_per_hour: int = Field(
        500, ge=1, description="GraphQL requests per hour for each personal key"
    )
    rate_device_per_hour: int = Field(
        100_000, ge=1, description="Requests per hour for each device that records sessions"
    )
    rate_ingest_bytes_per_second: int = Field(
        100 * SMALL**2,
        ge=0,
        description="Bytes of traces per second for each workspace, in each server process; 0 is no limit",
    )
    registrations_per_hour: int = Field(300, ge=1, description="New accounts per hour from one address")
    body_bytes_max: int = Field(2 * SMALL**2, ge=SMALL, description="Largest request body outside ingestion, in bytes")
    ingest_body_bytes_max: int = Field(64 * SMALL**2, ge=SMALL, description="Largest OTLP body once inflated, in bytes")
    session_body_bytes_max: int = Field(
        50 * SMALL**2, ge=SMALL, description="Largest recorded session as it is sent (compressed), in bytes"
    )
    session_inflated_bytes_max: int = Field(
        256 * SMALL**2, ge=SMALL, description="Largest recorded session once inflated, in bytes"
    )
    ingest_queue_bytes_max: int = Field(SMALL**3, ge=SMALL**2, description="Inbox size at which ingestion answers 503")
    log_style: Literal["auto", "console", "json"] = Field("auto", description="Log form; auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe level logged")
    metrics_token: SecretStr = Field(SecretStr(""), description="Bearer token for /metrics from other machines")
    self_traces: bool = Field(True, description="Record the server's own traces in the system workspace")
    workers: int = Field(2, ge=1, le=64, description="Jobs that run at once in this process")
    webhooks_private: bool = Field(False, description="Let webhooks call addresses of private networks")
    trusted_proxies: Texts = Field([], description="Addresses whose X-Forwarded-For and -Proto are believed")
    smtp_url: str = Field("", description="Mail server for invitations and resets: smtp://user:password@host:port")
    mail_from: str = Field("specloop@localhost", description="Sender address of mails")
    oauth: dict[str, OAuthProvider] = Field({}, description="Sign-in providers by name")

    @field_validator("listen", "allowed_hosts", "allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @property
    def data_folder(self) -> Path:
        """The data folder with `~` resolved."""
        return self.data.expanduser().absolute()

    @property
    def state_address(self) -> str:
        """Where the state store is."""
        return self.state_url or f"sqlite:///{self.data_folder / 'state.db'}"

    @property
    def telemetry_address(self) -> str:
        """Where the telemetry store is."""
        return self.telemetry_url or f"chdb://{self.data_folder / 'telemetry'}"

    @property
    def blob_address(self) -> str:
        """Where blobs are."""
        return self.blob_url or f"file://{self.data_folder / 'blobs'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` merged."""
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and, for each name, where its value came from."""

    settings: Settings
    sources: Mapping[str, str]


def load(flags: Mapping[str, Any] | None = None, file: Path | None = None) -> Loaded:
    """Merge flags (None means not given), the environment and the file.

    Raises: BadSetting, naming the setting and what it allows.
    """
    path = _find_file(file)
    layers = {
        f"file {path}": _read_file(path) if path else {},
        "environment": _read_environment(),
        "flag": {name: value for name, value in (flags or {}).items() if value is not None},
    }
    merged: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.model_fields, "default")
    for source, values in layers.items():
        merged.update(values)
        sources.update(dict.fromkeys(values, source))
    try:
        return Loaded(Settings(**merged), sources)
    except ValidationError as error:
        raise _explain(error, sources) from None


def _find_file(file: Path | None) -> Path | None:
    named = file or (Path(found) if (found := os.environ.get(ENV_PREFIX + "CONFIG")) else None)
    if named is not None:
        return named
    here = Path(FILE_NAME)
    return here if here.is_file() else None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadSetting(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: {error}") from None


def _read_environment() -> dict[str, Any]:
    try:
        values = EnvSettingsSource(Settings)()
    except SettingsError as error:
        raise BadSetting(str(error)) from None
    known = {ENV_PREFIX + name for name in (*map(str.upper, Settings.model_fields), *_NO_SETTINGS)}
    for name in os.environ:
        if name.startswith(ENV_PREFIX) and name.partition("__")[0] not in known:
            raise BadSetting(f"{name}: there is no such setting; `specloop config show` lists them")
    return values


def _explain(error: ValidationError, sources: Mapping[str, str]) -> BadSetting:
    lines: list[str] = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        source = sources.get(str(problem["loc"][0]), "file")
        if problem["type"] == "extra_forbidden":
            lines.append(f"{name} (from {source}): there is no such setting; `specloop config show` lists them")
        else:
            lines.append(f"{name} (from {source}): {problem['msg']}")
    return BadSetting("; ".join(lines))
