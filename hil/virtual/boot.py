"""Power-on of a virtual ESP32: runs main.py of its flash, the folder it was started in."""

import sys
import time


def power_on(path: str) -> None:
    try:
        with open(path) as file:
            source = file.read()
        exec(compile(source, path, "exec"), {"__name__": "__main__"})
    except Exception as error:
        sys.print_exception(error)
    # a board whose program ends sits at its prompt, pins as they were, until its watchdog bites
    import pipe

    while True:
        pipe.drain()
        time.sleep_ms(500)


power_on(sys.argv[1] if len(sys.argv) > 1 else "main.py")
