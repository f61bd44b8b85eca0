"""events.py FOLDER: reads the event files of a training as TensorBoard would and compares them with metrics.csv."""
import csv
import glob
import os
import struct
import sys

folder = sys.argv[1]
table = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
    table.append(n)


def masked(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """Of a message: pairs of a field's number and its value."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            size, code = (8, "<d") if kind == 1 else (4, "<f")
            value, at = struct.unpack(code, data[at:at + size])[0], at + size
        yield key >> 3, value


assert masked(b"123456789") == (((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF)  # the check value of CRC-32C
scalars = {}
files = sorted(glob.glob(os.path.join(folder, "events.out.tfevents.*")), key=os.path.getmtime)
for path in files:
    data, at, number = open(path, "rb").read(), 0, 0
    while at < len(data):
        length, check = struct.unpack("<QI", data[at:at + 12])
        assert check == masked(data[at:at + 8])
        event = data[at + 12:at + 12 + length]
        assert struct.unpack("<I", data[at + 12 + length:at + 16 + length])[0] == masked(event)
        at, number = at + 16 + length, number + 1
        message = dict(fields(event))
        assert message[1] > 1.6e9, message
        if number == 1:
            assert message[3] == b"brain.Event:2"
        elif number == 2:
            assert dict(fields(message[7])) == {1: 1}
            scalars = {key: v for key, v in scalars.items() if key[0] <= message[2]}
        else:
            for _, value in fields(message[5]):
                entry = dict(fields(value))
                scalars[message[2], entry[1].decode()] = entry[2]
rows = list(csv.DictReader(open(os.path.join(folder, "metrics.csv"))))
wanted = {}
for row in rows:
    for name in ("loss", "test_loss", "test_accuracy", "lr"):
        wanted[int(row["step"]), name.replace("test_", "test/")] = struct.unpack("f", struct.pack("f", float(row[name])))[0]
assert scalars.keys() == wanted.keys(), (scalars, wanted)
assert all(abs(scalars[key] - wanted[key]) <= 1e-6 * abs(wanted[key]) for key in wanted), (scalars, wanted)
print(f"{len(files)} event files, {len(rows)} epochs")
