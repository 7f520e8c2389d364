# Which processes a marked program left behind: its environment carries the mark, and so does that of whatever it starts.
# SPDX-License-Identifier: Apache-2.0
import os

NAME = "PIPE_TEST_MARK"


def alive(mark):
    """Ids of the processes whose environment has `PIPE_TEST_MARK` with this value."""
    wanted, found = f"{NAME}={mark}\0".encode(), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if wanted in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found
