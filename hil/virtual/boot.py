"""Power-on of a virtual ESP32: runs main.py of its flash, the folder it was started in.

With BENCH_TIME=virtual its clock, its waiting, its sockets, its chance and its flash are
the bench's; the program cannot tell.
"""

import os
import sys


def virtual_time() -> None:
    import lockstep

    sys.modules["pipe"] = lockstep
    import virtual_asyncio
    import virtual_network
    import virtual_os
    import virtual_socket
    import virtual_time

    for name, module in (("time", virtual_time), ("socket", virtual_socket), ("os", virtual_os)):
        sys.modules[name] = module
    if not os.getenv("BENCH_HEAP"):
        import virtual_gc

        sys.modules["gc"] = virtual_gc
    virtual_asyncio.install()
    virtual_network.install()
    virtual_os.install()


def power_on(path: str) -> None:
    try:
        with open(path) as file:
            source = file.read()
        exec(compile(source, path, "exec"), {"__name__": "__main__"})
    except Exception as error:
        sys.print_exception(error)
    # a board whose program ends sits at its prompt, pins as they were, until its watchdog bites
    import time

    import pipe

    while True:
        pipe.drain()
        time.sleep_ms(500)


if os.getenv("BENCH_TIME") == "virtual":
    virtual_time()
power_on(sys.argv[1] if len(sys.argv) > 1 else "main.py")
