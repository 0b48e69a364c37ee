"""Just enough of protobuf's wire format to list the fields of a message that hold bytes."""

from __future__ import annotations

_FIXED_BYTES = {1: 8, 5: 4}


class ProtobufError(ValueError):
    """The bytes are no protobuf message."""


def length_delimited(body: bytes) -> list[tuple[int, bytes]]:
    """(field number, bytes) of every length-delimited field, in order.

    Raises: ProtobufError.
    """
    found = list[tuple[int, bytes]]()
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        match tag & 7:
            case 0:
                _, at = _varint(body, at)
            case 2:
                size, at = _varint(body, at)
                if at + size > len(body):
                    raise ProtobufError("a field is longer than the message")
                found.append((tag >> 3, body[at : at + size]))
                at += size
            case kind if kind in _FIXED_BYTES:
                at += _FIXED_BYTES[kind]
            case kind:
                raise ProtobufError(f"there is no wire type {kind}")
    return found


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(body[at : at + 10]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ProtobufError("a number does not end")
