"""Folders of pictures by class in the current folder: good ones, and each with one mistake."""
import os
import random

generator = random.Random(2)


def picture(path, low, high):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(b"P6 12 10 255\n" + bytes(generator.randrange(low, high) for _ in range(360)))


def parts(folder, train, test, classes=("light", "dark"), ofTest=None):
    for part, count, names in (("train", train, classes), (test, 4, ofTest or classes)):
        for name in names:
            for i in range(count): picture(f"{folder}/{part}/{name}/{i}.ppm", *((100, 256) if name == "light" else (0, 156)))


parts("set", 10, "val")
open("set/train/dark/damaged.png", "wb").write(b"\x89PNG\r\n\x1a\nno more")
open("set/train/light/notes.txt", "w").write("no picture")
open("set/train/light/._0.ppm", "w").write("hidden")
picture(b"strange/\xff.ppm", 0, 255)
picture(b"latin/caf\xe9/0.ppm", 0, 255)
parts("lacking", 2, "test")
for name in os.listdir("lacking/train/dark"): os.remove("lacking/train/dark/" + name)
parts("other", 2, "test", ofTest=("dark",))
picture("named/medium/0.ppm", 0, 255)
picture("named/light/0.ppm", 0, 255)
for name in ("light", "dark"):
    os.makedirs(f"alldamaged/{name}")
    open(f"alldamaged/{name}/x.png", "w").write("text")
os.makedirs("nothing/light")
