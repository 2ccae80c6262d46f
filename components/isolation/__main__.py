"""The worker process: sets its limits, reads a text from standard input and writes the result."""

from __future__ import annotations

import importlib
import sys

try:
    import resource
except ImportError:  # Windows: only time is limited there
    resource = None  # type: ignore[assignment]


def main(module: str, name: str, processor_s: str, memory_bytes: str) -> None:
    """Do one piece of work and end."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(processor_s), int(processor_s)))
        resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    work = getattr(importlib.import_module(module), name)
    text = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    sys.stdout.buffer.write(work(text).encode("utf-8", "surrogatepass"))


if __name__ == "__main__":
    main(*sys.argv[1:])
