"""A child that does as it is told: run with `python -m tests.support.echo_child`.

Frames: `echo …` is answered with the rest, `pid`, `environ`, `spawn` (starts a program that sleeps, as a calculator
does, and answers its number), `daemon` (the same, in a session of its own), `print …` (to standard output, then
answered), `hang` (for ever, busy), `loop` (the same in a library, while no other thread runs), `fork` (answers the
number of a copy that comes back too), `leave` (a copy that sleeps and holds all files, then dies with code 5),
`die N words` (ends with code N after saying words on standard error), `raise words`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

from protocols.concurrency.child import serve


def answer(frame: bytes) -> bytes:  # noqa: C901, PLR0911, PLR0912 - a list of orders
    """Answer one frame."""
    order, _, rest = frame.partition(b" ")
    match order:
        case b"echo":
            return rest
        case b"pid":
            return str(os.getpid()).encode()
        case b"spawn":
            return str(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid).encode()
        case b"environ":
            return json.dumps(dict(os.environ)).encode()
        case b"print":
            print(rest.decode(), flush=True)
            os.write(1, rest + b"\n")
            return b"printed"
        case b"hang":
            while True:
                pass
        case b"loop":
            re.match(r"(a+)+$", "a" * 60 + "b")
            return b"never"
        case b"fork":
            return str(os.fork()).encode()
        case b"leave":
            if os.fork() == 0:
                time.sleep(600)
            os._exit(5)
        case b"daemon":
            sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
            return str(subprocess.Popen(sleeping, start_new_session=True).pid).encode()
        case b"die":
            code, _, words = rest.partition(b" ")
            sys.stderr.write(words.decode())
            sys.stderr.flush()
            os._exit(int(code))
        case _:
            raise ValueError(rest.decode())


if __name__ == "__main__":
    serve(answer)
