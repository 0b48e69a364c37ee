"""Devices: coding-session recorders (SpecStory's command line) that a user has linked with a one-time code.

A linked device holds a refresh token of ten years that never changes, and gets access tokens of one hour for it.
Behind this door are codes, tokens and the list of devices; it knows accounts, but no workspace.
"""

from specloop.identity.devices.model import ACCESS_PREFIX, AccessToken, Device, DeviceCode, LinkedDevice, Origin
from specloop.identity.devices.service import DeviceService

__all__ = ["ACCESS_PREFIX", "AccessToken", "Device", "DeviceCode", "DeviceService", "LinkedDevice", "Origin"]
