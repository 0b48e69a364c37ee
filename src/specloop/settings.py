"""Every setting of the program, from flags, then `SPECLOOP_*`, then `specloop.toml`, then defaults.

This is the only place that reads the environment.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from specloop.errors import StartupError


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


class OAuthProvider(BaseSettings):
    """One sign-in provider (OpenID Connect discovery, or explicit endpoints)."""

    client_id: str
    client_secret: SecretStr
    issuer: str = Field(description="Issuer address; discovery is read from it")
    scopes: str = "openid email profile"
    label: str = ""


class Settings(BaseSettings):
    """The settings, with their environment names `SPECLOOP_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="SPECLOOP_", env_nested_delimiter="__", extra="forbid")
    toml_path: ClassVar[Path | None] = None

    listen: list[str] = Field(["127.0.0.1:8000"], description="Addresses to serve on, each ADDR:PORT")
    data: Path = Field(Path("~/.specloop"), description="Data folder (mode 0700)")
    state_url: str = Field(
        "", description="State store: sqlite:///… or postgresql://…; default: SQLite in the data folder"
    )
    telemetry_url: str = Field(
        "", description="Telemetry store: chdb:///… or clickhouse://…; default: chDB in the data folder"
    )
    blob_url: str = Field(
        "", description="Blob store: file:///… or s3://bucket/prefix; default: files in the data folder"
    )
    redis_url: str = Field("", description="Redis for rate limits shared by many processes; default: memory")
    role: Role = Field(Role.ALL, description="What this process does")
    public_url: str = Field("", description="Address under which users reach the server; default: the first listener")
    allowed_hosts: list[str] = Field([], description="Host names answered besides loopback and the listeners' own")
    allowed_origins: list[str] = Field([], description="Origins that browsers may call from besides the server's own")
    allow_plain_http: bool = Field(False, description="Accept plain HTTP from other machines (behind a TLS proxy)")
    trusted_proxies: list[str] = Field([], description="Addresses whose X-Forwarded-For and -Proto are believed")
    tls_certificate: Path | None = Field(None, description="PEM certificate chain instead of the self-made one")
    tls_key: Path | None = Field(None, description="PEM private key of tls_certificate")
    registration: Literal["auto", "open", "invite"] = Field(
        "auto", description="Who may register; auto: open while every listener is loopback, by invitation otherwise"
    )
    password_length_min: int = Field(6, ge=6, le=128, description="Shortest password accepted")
    rate_user_per_minute: int = Field(600, ge=1, description="Requests per minute for each user")
    rate_key_per_minute: int = Field(6000, ge=1, description="Requests per minute for each key")
    body_bytes_max: int = Field(2 * 1024**2, ge=1024, description="Largest request body outside ingestion, in bytes")
    ingest_body_bytes_max: int = Field(
        64 * 1024**2, ge=1024, description="Largest OTLP body after decompression, in bytes"
    )
    ingest_queue_bytes_max: int = Field(1024**3, ge=1024**2, description="Inbox size at which ingestion answers 503")
    log_style: Literal["auto", "console", "json"] = Field("auto", description="Log form; auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe level logged")
    metrics_token: SecretStr = Field(SecretStr(""), description="Bearer token for /metrics from other machines")
    self_traces: bool = Field(True, description="Record the server's own traces in the system workspace")
    workers: int = Field(2, ge=1, le=64, description="Jobs that run at once in this process")
    smtp_url: str = Field(
        "", description="Mail server for invitations and password resets: smtp://user:password@host:port"
    )
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
        """Flags, then the environment, then the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=cls.toml_path))


__all__ = ["BadSetting", "InitSettingsSource", "OAuthProvider", "Role", "Settings", "ValidationError"]
