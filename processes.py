"""A child process with a pipe to it: started when needed, ended on request, started again.

    child = Child("my_package.answering")        # a module with a function serve(pipe, *arguments)
    pipe = child.start("argument")               # the running process's pipe; starts a process if none runs
    pipe.send("question"); pipe.recv()           # EOFError, OSError: the process has died
    child.end()

The child has the parent's ``sys.path`` and leaves Ctrl-C to the parent. Its pipe breaks when the parent dies.
Not multiprocessing: that would run the main module of the parent's program once more.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any


class Child:
    """One process at a time that runs ``module.serve(pipe, *arguments)``; used by one thread at a time."""

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        """``environment`` is added to the parent's."""
        self._module, self._environment = module, environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process; None if none was started."""
        return None if self._process is None else self._process.pid

    def start(self, *arguments: Any) -> Connection:
        """The pipe to the process; one that runs is kept, one that died is replaced."""
        if self._process is None or self._pipe is None or self._process.poll() is not None:
            self.end()
            self._pipe, theirs = Pipe()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own module, by this very Python
                    [sys.executable, "-P", "-m", __name__, self._module, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **self._environment},
                )
            with contextlib.suppress(OSError):  # it died at once: the pipe says so to whoever reads it
                self._pipe.send((sys.path, arguments))
        return self._pipe

    def wait(self, seconds: float) -> int | None:
        """Give the process time to end by itself, then kill it; return its exit code. The pipe stays open."""
        if self._process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()

    def end(self) -> int | None:
        """Close the pipe and kill the process, if it still runs; return its exit code."""
        if self._pipe is not None:
            self._pipe.close()
        code = self.wait(0)
        self._process = self._pipe = None
        return code


def main() -> None:
    """Run in the child: import the module and serve the pipe whose number is the argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    pipe = Connection(int(sys.argv[2]))
    try:
        sys.path[:], arguments = pipe.recv()
    except (EOFError, OSError):
        return  # the parent has gone
    importlib.import_module(sys.argv[1]).serve(pipe, *arguments)


if __name__ == "__main__":
    main()
