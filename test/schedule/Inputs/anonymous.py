"""Prints a .loops file with every name replaced by the number of its first appearance, without comments."""
import re
import sys

keywords = set("program batch store target tensor param state input class uniform constant normal entry workspace commit "
               "result output loss metric buffer f32 i32 u8 bool kernel parallel then flops reg for in unroll if load "
               "stride active reduce sum prod max min lanes step mask fma add sub mul div neg sqrt select lt le eq ne "
               "and or not iadd isub imul iand ior ixor shl shr toReal toInt bitsToInt bitsToReal scalar count blocks "
               "fullBlocks inf nan true false N pow epoch steps".split())
shared, local = {}, {}  # names of the file; registers and variables of the kernel


def number(match):
    word = match.group(2)
    if word in keywords:
        return match.group(0)
    names = local if kernel and not match.group(1) else shared
    return "%s%s%d" % (match.group(1) or "", "r" if names is local else "n", names.setdefault(word, len(names)))


kernel = False
for line in open(sys.argv[1]):
    if line.startswith("  kernel "):
        kernel = True
        local.clear()
    if not line.lstrip().startswith("|"):
        print(re.sub(r"((?:load|store|kernel) )?([A-Za-z_][A-Za-z_0-9.]*)", number, line.rstrip()))
    if line.startswith("  }"):
        kernel = False
