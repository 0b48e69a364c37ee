"""The public keys that verify access tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel

from specloop.identity.tokens.keyring import KeyRing
from specloop.transport.guard import public
from specloop.transport.routing import Ctx, api_router, provided

router = api_router(tags=["Auth"])


class JWK(BaseModel):
    """One public key (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JWKS(BaseModel):
    """A key set (RFC 7517 §5)."""

    keys: list[JWK]


@router.get("/.well-known/jwks.json", response_model=JWKS, summary="Public keys of access tokens")
@public()
async def read_jwks(
    ctx: Ctx, response: Response, ring: Annotated[KeyRing, Depends(provided(KeyRing))]
) -> dict[str, object]:
    """The keys that may have signed an access token that is still good."""
    await ring.refresh(ctx)
    response.headers["Cache-Control"] = "public, max-age=60"
    return {"keys": ring.documents()}
