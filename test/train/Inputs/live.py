"""live.py WIDTH COMMAND...: runs a command on a terminal of so many columns, prints one of the lines that it drew over."""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

width, command = int(sys.argv[1]), sys.argv[2:]
ours, its = pty.openpty()
fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
process = subprocess.Popen(command, stdout=its, stderr=its)
os.close(its)
text = b""
while True:
    try:
        text += os.read(ours, 4096)
    except OSError:  # the other end is closed
        break
if process.wait(): sys.exit(text.decode())
drawn = [piece.split("\r")[0] for piece in text.decode().split("\r\033[K") if piece.startswith("epoch")]
live = [line for line in drawn if "%" in line]
if any(len(line) >= width for line in live): sys.exit(f"wider than {width}: {live}")
print(live[-1])
