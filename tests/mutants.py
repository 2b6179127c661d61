"""Break one file in every small way; its tests must notice: `python -m tests.mutants`.

    python -m tests.mutants                          everything in SUITES
    python -m tests.mutants supervisor/merit.py      one of them, with its tests
    python -m tests.mutants FILE TESTFILE...         any file with any tests

One thing is broken at a time (a comparison, a sum, a number, a not, an and, a return, a
min), always in a copy of the checkout.  Prints the survivors and `N of M caught`; ends with
1 when one survives that is not in tests/mutants_equal.txt, which says why it makes no
difference.
"""

import ast
import compileall
import copy
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
EQUAL = ROOT / "tests" / "mutants_equal.txt"
FOLDERS = ("protocols", "firmware", "supervisor", "hil", "tests")
LONGEST_S = 15.0  # beyond it the tests hang, which is noticing too

NUMBERS = "tests/firmware/test_numbers.py"
SUITES = {
    "protocols/ladder.py": [
        "tests/protocols/test_ladder.py",
        "tests/protocols/test_ladder_host.py",
    ],
    "firmware/limits.py": ["tests/firmware/test_limits.py"],
    "firmware/safety.py": [NUMBERS, "tests/firmware/test_safety.py"],
    "firmware/thermal.py": [NUMBERS, "tests/firmware/test_thermal.py"],
    "firmware/dispatch.py": [
        NUMBERS,
        "tests/firmware/test_dispatch.py",
        "tests/firmware/test_dispatch_host.py",
    ],
    "firmware/power.py": [NUMBERS, "tests/firmware/test_power.py"],
    **{
        f"supervisor/{name}.py": [f"tests/supervisor/test_{name}.py"]
        for name in (
            "merit",
            "line",
            "position",
            "ramp",
            "envelope",
            "policy",
            "tree",
            "wear",
            "dwell",
            "band",
            "frequency",
            "lookahead",
            "balance",
            "roster",
        )
    },
}

SWAPS: dict[type, type] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq},
    **{ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn},
    **{ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv},
    **{ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.LShift: ast.RShift},
    **{ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
    **{ast.BitXor: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And},
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "_hypothesis_pytestplugin")
OPTIONS = [
    *("-x", "-q", "--tb=no", "--assert=plain", "--hypothesis-seed=0", "--timeout=20"),
    *(word for plugin in (*PLUGINS, "no:cacheprovider") for word in ("-p", plugin)),
]


class Mutant(NamedTuple):
    """One broken file.  name: where and what, without a line number, which would rot."""

    line: int
    name: str
    source: str


def mutants(path: str, source: str) -> Iterator[Mutant]:
    """Every way to break a file once."""
    tree = ast.parse(source)
    for number, (node, function) in enumerate(places(tree)):
        for change in changes(node):
            broken = copy.deepcopy(tree)
            victim = next(n for i, (n, _) in enumerate(places(broken)) if i == number)
            change(victim)
            what = f"{ast.unparse(node)} -> {ast.unparse(victim)}".replace("\n", " ")
            name = f"{path} {function}: {what}"
            if ast.dump(broken) != ast.dump(tree):
                yield Mutant(getattr(node, "lineno", 0), name, ast.unparse(broken))


def places(node: ast.AST, function: str = "") -> Iterator[tuple[ast.AST, str]]:
    """Everything that runs, with the function it is in; annotations do not."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list") or strict(node):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                named = isinstance(child, ast.FunctionDef | ast.ClassDef)
                inside = f"{function}.{child.name}".strip(".") if named else function
                yield child, inside
                yield from places(child, inside)


def changes(node: ast.AST) -> list:  # noqa: PLR0911
    """The ways to break this one place, each a function that does it to a copy."""
    if isinstance(node, ast.Compare):
        return [lambda n, i=i: swap_at(n.ops, i) for i in range(len(node.ops))]
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp):
        return [lambda n: setattr(n, "op", SWAPS.get(type(n.op), type(n.op))())]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return [lambda n: setattr(n, "op", ast.UAdd())] if number(node.operand) else [strip]
    if number(node):
        return [lambda n: setattr(n, "value", n.value * 2 if n.value >= 100 else n.value + 1)]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [lambda n: setattr(n, "value", not n.value)]
    if isinstance(node, ast.Return) and node.value and not nothing(node.value):
        return [lambda n: setattr(n, "value", ast.Constant(None))]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
        return [lambda n: setattr(n.func, "id", CALLS[n.func.id])]
    return []


def swap_at(ops: list, at: int) -> None:
    ops[at] = SWAPS[type(ops[at])]()


def strip(node: ast.UnaryOp) -> None:
    """What was said without the not, or without the minus."""
    inner = node.operand
    node.__class__, node.__dict__ = (
        ast.BoolOp,
        {**node.__dict__, "op": ast.And(), "values": [inner, inner], "operand": None},
    )


def number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def nothing(node: ast.AST) -> bool:
    """What a caller can hardly tell from None: None itself, False, "", 0."""
    return isinstance(node, ast.Constant) and not node.value


def strict(node: ast.AST) -> bool:
    """zip(strict=True) is there for the reader; columns are of one length."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def equal() -> set[str]:
    """Names of the mutants that make no difference."""
    lines = EQUAL.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


class Bench:
    """A copy of the checkout in which files are broken and tests are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FOLDERS:
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", folder)
        compileall.compile_dir(folder, quiet=1)

    def caught(self, path: str, source: str, tests: list[str]) -> bool:
        """Whether the tests fail with this source in the place of the file."""
        target = self.folder / path
        kept = target.read_text()
        for compiled in target.parent.glob(f"__pycache__/{target.stem}.*"):
            compiled.unlink()
        target.write_text(source)
        try:
            return self._fail(tests)
        finally:
            target.write_text(kept)

    def _fail(self, tests: list[str]) -> bool:
        """In a child that has the slow imports already."""
        child = os.fork()
        if child == 0:
            os._exit(self._pytest(tests))
        until_s = time.monotonic() + LONGEST_S
        while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > until_s:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return True
            time.sleep(0.005)
        return done[1] != 0

    def _pytest(self, tests: list[str]) -> int:
        import pytest

        os.chdir(self.folder)
        away = {str(ROOT), "", *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
        sys.path[:] = [str(self.folder), *(p for p in sys.path if p not in away)]
        sys.dont_write_bytecode = True
        for name in [n for n in sys.modules if n.split(".")[0] in FOLDERS]:
            del sys.modules[name]
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        return int(pytest.main([*OPTIONS, *tests]))


def check(bench: Bench, path: str, tests: list[str]) -> bool:
    """One file against its tests.  Whether nothing unexplained survived."""
    source = (ROOT / path).read_text()
    if bench.caught(path, source, tests):
        print(f"{path}: the tests fail as it is")
        return False
    assert bench.caught(path, "raise RuntimeError", tests), f"the tests never import {path}"
    known, broken, survivors = equal(), list(mutants(path, source)), []
    for mutant in broken:
        if not bench.caught(path, mutant.source, tests):
            survivors.append(mutant)
    unexplained = [mutant for mutant in survivors if mutant.name not in known]
    for mutant in unexplained:
        print(f"{path}:{mutant.line}: survives: {mutant.name}")
    equals = len(survivors) - len(unexplained)
    told = f", {equals} make no difference" if equals else ""
    print(f"{path}: {len(broken) - len(survivors)} of {len(broken)} caught{told}", flush=True)
    return not unexplained


def warm_up() -> None:
    """What every child would import; and no time for making a failure's example small."""
    import async_solipsism  # noqa: F401
    import hypothesis
    import msgspec  # noqa: F401
    import numpy as np  # noqa: F401

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for plugin in PLUGINS:
        importlib.import_module(plugin)
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", phases=phases, database=None)
    hypothesis.settings.load_profile("mutants")


def main(words: list[str]) -> int:
    if not hasattr(os, "fork"):
        print("mutants: this system cannot fork; run it on Linux or macOS")
        return 2
    if words and (words[0] not in SUITES and len(words) < 2):
        print(f"mutants: which tests are for {words[0]}?  python -m tests.mutants FILE TESTFILE...")
        return 2
    suites = {words[0]: words[1:] or SUITES[words[0]]} if words else SUITES
    warm_up()
    with tempfile.TemporaryDirectory(prefix="surplus-mutants-") as folder:
        bench = Bench(Path(folder))
        good = [check(bench, path, tests) for path, tests in suites.items()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
