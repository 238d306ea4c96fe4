"""Note whom a Python program resolves and connects to. Python runs this file before the program."""

import os
import sys


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        target = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        target = arguments[1][0]
    else:
        return
    with open(os.environ["CLIENT_WATCH"], "a", encoding="utf-8") as file:  # noqa: PTH123 - no imports beside
        file.write(f"{target.decode() if isinstance(target, bytes) else target}\n")


sys.addaudithook(_watch)
