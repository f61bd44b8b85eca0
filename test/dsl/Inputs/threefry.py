"""Threefry2x32 with 20 rounds in numpy, and what uniform() is made of (docs/language.md)."""
import numpy as np

WORD = np.uint32


def threefry(key, counter):
    """Words (low, high) of the counters under one key; key and counter are pairs (low, high)."""
    k = [WORD(key[0]), WORD(key[1])]
    k.append(WORD(0x1BD11BDA) ^ k[0] ^ k[1])
    with np.errstate(over="ignore"):
        x, y = (np.asarray(counter[i], dtype=WORD) + k[i] for i in (0, 1))
        for block in range(5):
            for rotation in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
                x = x + y
                y = (y << WORD(rotation) | y >> WORD(32 - rotation)) ^ x
            x = x + k[(block + 1) % 3]
            y = y + k[(block + 2) % 3] + WORD(block + 1)
    return x, y


# Known answers of the Random123 library.
for key, counter, answer in [((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
                             ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
                             ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0))]:
    assert tuple(int(w) for w in threefry(key, counter)) == answer


def words(n):
    return n & 0xFFFFFFFF, n >> 32


def hashed(path):
    """FNV-1a, 64 bits."""
    h = 0xCBF29CE484222325
    for c in path.encode():
        h = (h ^ c) * 0x100000001B3 % 2**64
    return h


def uniform(path, elements, seed=0, step=0):
    """The numbers of these elements that the call with this path draws in a step."""
    stream = threefry(words(seed), words(hashed(path)))
    x, _ = threefry(threefry(stream, words(step)), (elements, np.zeros_like(elements)))
    return (x >> WORD(8)).astype("f4") * np.float32(2**-24)
