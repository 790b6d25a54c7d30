# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the AMF0 of well-formed metadata, independently of the code under test."""

import struct


def on_metadata(data):
    """The members of onMetaData from a script tag's data."""
    name, at = _value(data, 0)
    if name != "onMetaData":
        raise ValueError(f"the script tag is {name!r}")
    return _value(data, at)[0]


def _name(data, at):
    size = int.from_bytes(data[at:at + 2], "big")
    return data[at + 2:at + 2 + size].decode(), at + 2 + size


def _members(data, at):
    members = {}
    while data[at:at + 3] != b"\0\0\x09":
        name, at = _name(data, at)
        members[name], at = _value(data, at)
    return members, at + 3


def _value(data, at):
    marker, at = data[at], at + 1
    if marker == 0:
        return struct.unpack_from(">d", data, at)[0], at + 8
    if marker == 1:
        return bool(data[at]), at + 1
    if marker == 2:
        return _name(data, at)
    if marker == 3:
        return _members(data, at)
    if marker == 8:
        return _members(data, at + 4)
    if marker == 10:
        count, at = int.from_bytes(data[at:at + 4], "big"), at + 4
        items = []
        for _ in range(count):
            item, at = _value(data, at)
            items.append(item)
        return items, at
    if marker in (5, 6):
        return None, at
    if marker == 11:
        return struct.unpack_from(">d", data, at)[0], at + 10
    raise ValueError(f"marker {marker} at {at - 1}")
