"""The keys behind access tokens: one private Ed25519 key per data folder, public halves in the state store.

Each process signs with its own key and verifies with everybody's, so many machines need no shared secret, and whoever
reads the store cannot make tokens. Rotation makes a new private key; the old public one stays until its tokens end.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, cast

from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from specloop.db.context import Context
from specloop.identity.tokens import repository
from specloop.identity.tokens.model import ACCESS_LIFETIME
from specloop.kit import json

FILE_NAME = "token-signing.json"

# RFC 9864 prefers the name `Ed25519`, but verifiers in the field know `EdDSA`; the algorithm is the same.
warnings.filterwarnings("ignore", category=SecurityWarning, message="EdDSA is deprecated")


class KeyRing:
    """The private key of this data folder and every public key that is still good."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self.private = _load(self.path) or _make(self.path)
        self._public: dict[str, OKPKey] = {}

    @property
    def kid(self) -> str:
        """The id of the signing key: its thumbprint (RFC 7638)."""
        return self.private.thumbprint()

    async def publish(self, ctx: Context) -> None:
        """Put the public half into the store and learn everybody's; once at the start."""
        await repository.publish_key(ctx, self.kid, _public_document(self.private))
        await self.refresh(ctx)

    async def refresh(self, ctx: Context) -> None:
        """Learn the public keys that other processes have published.

        Asked for each token of an unknown key, however soon after the last time: the key may be a second old.
        """
        documents = await repository.public_keys(ctx, ctx.clock.now() - ACCESS_LIFETIME)
        self._public = {kid: OKPKey.import_key(document) for kid, document in documents.items()}

    async def rotate(self, ctx: Context) -> None:
        """Sign with a new key from now on; tokens of the old one stay valid until they expire."""
        await repository.retire_key(ctx, self.kid)
        self.private = _make(self.path)
        await self.publish(ctx)

    def public(self, kid: str) -> OKPKey | None:
        """The public key of that id, if it is known here."""
        return self._public.get(kid)

    def documents(self) -> list[dict[str, Any]]:
        """The public keys as JWKs (RFC 7517), for `/.well-known/jwks.json`."""
        return [
            {**_public_document(key), "kid": kid, "use": "sig", "alg": "EdDSA"} for kid, key in self._public.items()
        ]


def _public_document(key: OKPKey) -> dict[str, Any]:
    return {name: value for name, value in key.as_dict(private=False).items() if name in {"kty", "crv", "x"}}


def _load(path: Path) -> OKPKey | None:
    if not path.exists():
        return None
    return OKPKey.import_key(cast("dict[str, Any]", json.loads(path.read_bytes())))


def _make(path: Path) -> OKPKey:
    key = OKPKey.generate_key("Ed25519", private=True)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(json.dumps(key.as_dict(private=True)))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return key
