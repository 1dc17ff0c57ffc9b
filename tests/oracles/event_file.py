# SPDX-License-Identifier: Apache-2.0
"""Decodes a TensorBoard event file independently of tools/run_folder/event_file.cpp and prints its scalars.

Usage: event_file.py FILE. Checks both CRCs of every record with a bit-by-bit CRC-32C. With tensorboard installed, the same
scalars come from tensorboard.backend.event_processing.event_file_loader.EventFileLoader(FILE).Load().
"""
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Yields (field number, value) of one protocol buffer message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif kind == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        yield key >> 3, value


def records(data):
    at = 0
    while at < len(data):
        length, crc = struct.unpack_from("<QI", data, at)
        assert crc == masked(data[at:at + 8]), f"length CRC at byte {at}"
        payload = data[at + 12:at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(payload), f"payload CRC at byte {at}"
        yield payload
        at += 16 + length


for record in records(open(sys.argv[1], "rb").read()):
    event = dict(fields(record))
    if 3 in event:
        print("version", event[3].decode(), "at", event[1])
    if 7 in event:
        print("session log", dict(fields(event[7])), "before step", event.get(2, 0))
    if 5 in event:
        for _, value in fields(event[5]):
            entry = dict(fields(value))
            print("scalar", entry[1].decode(), "step", event.get(2, 0), "value", entry[2], "at", event[1])
