"""interrupted_check.py NETC MODEL FOLDER: netc check, interrupted while a compiler works, leaves no temporary files."""
import os
import pathlib
import signal
import subprocess
import sys
import time

netc, model, folder = sys.argv[1:]
slow = pathlib.Path(folder, "slow")
slow.write_text("#!/bin/sh\nexec sleep 60\n")
slow.chmod(0o755)
for number in (signal.SIGINT, signal.SIGTERM):
    temporary = pathlib.Path(folder, number.name)
    temporary.mkdir()
    check = subprocess.Popen([netc, "check", model], stdout=subprocess.DEVNULL, start_new_session=True,
                             env={**os.environ, "CXX": str(slow), "TMPDIR": str(temporary)},
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's background ignores it
    while not list(temporary.glob("*/model.h")):
        time.sleep(0.05)
    os.killpg(check.pid, number)
    assert check.wait() == -number, check.returncode
    assert not list(temporary.iterdir()), list(temporary.iterdir())
print("nothing is left")
