"""What hangs below what, and what each branch carries: feeders, containers, racks.

A rig has a place, "feeder-2/container-7/rack-3"; every prefix of it is a node, and any node
may have a limit.  Limits are kept by the line itself: below a node no more steps are dealt
than it carries, so no position admits more than that.  Taking steps in merit order and
leaving out what no longer fits anywhere above it is the optimum of such a tree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from supervisor.merit import Bools, Floats, Ints

NOWHERE = -1  # the node of a rig whose place nobody has told


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Nodes in the order of their paths, a parent before its children.

    limit_w: real watts all rigs below may draw; inf where nothing limits.
    """

    paths: tuple[str, ...]
    parent: Ints
    limit_w: Floats

    def node(self, place: str) -> int:
        """The node a place hangs on; NOWHERE when there is none."""
        return self.paths.index(place) if place in self.paths else NOWHERE

    def above(self) -> list[Ints]:
        """By depth, deepest first: node -> itself or its ancestor at that depth, or NOWHERE."""
        depth = np.array([path.count("/") for path in self.paths], dtype=np.int64)
        standing = np.arange(len(self.paths))
        rows = []
        for level in range(int(depth.max(initial=-1)), -1, -1):
            here = depth[standing] == level
            rows.append(np.where(here, standing, NOWHERE))
            standing = np.where(here & (level > 0), self.parent[standing], standing)
        return rows

    def sums(self, node: Ints, watts: Floats) -> Floats:
        """Watts below each node.  node: of each row of watts, NOWHERE counts nowhere."""
        own = np.bincount(node + 1, weights=watts, minlength=len(self.paths) + 1)[1:]
        for child in range(len(self.paths) - 1, -1, -1):
            if self.parent[child] >= 0:
                own[self.parent[child]] += own[child]
        return own.astype(float)


def grown(limits_w: Mapping[str, float], places: Iterable[str] = ()) -> Tree:
    """A tree of all nodes that have a limit or a rig."""
    parts = [path.split("/") for path in {*limits_w, *places} if path]
    paths = tuple(sorted({"/".join(p[:n]) for p in parts for n in range(1, len(p) + 1)}))
    row = {path: number for number, path in enumerate(paths)}
    parent = [row.get(path.rpartition("/")[0], NOWHERE) for path in paths]
    limit_w = [float(limits_w.get(path, np.inf)) for path in paths]
    return Tree(paths, np.array(parent, dtype=np.int64), np.array(limit_w, dtype=float))


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """The tree with the rigs on it: who may be given how much.

    node: of each rig.  weight: real watts per listed one, at worst, of each rig.
    room_w: what each node still carries above the floor of its rigs.
    """

    tree: Tree
    node: Ints
    weight: Floats
    room_w: Floats

    def keeps(self, rig: Ints, width_w: Ints) -> Bools:
        """Of steps in merit order, those every node above them has room for.

        A step that does not fit takes all later ones below its node with it, so a rig
        never has a step without the one before.
        """
        kept = np.ones(len(rig), dtype=bool)
        node, real_w = self.node[rig], width_w * self.weight[rig]
        for level in self.tree.above():
            if np.isfinite(self.room_w[level[level != NOWHERE]]).any():
                at = np.where(node == NOWHERE, NOWHERE, level[node])
                kept &= _prefix(at, np.where(kept, real_w, 0.0), self.room_w)
        return kept

    def below(self, watts: Floats) -> Floats:
        """Real watts below each node, when each rig may draw so many listed ones."""
        return self.tree.sums(self.node[: len(watts)], watts * self.weight[: len(watts)])

    def less(self, watts: Floats) -> "Branches":
        """What is left when each rig has been given so many listed watts."""
        return Branches(self.tree, self.node, self.weight, self.room_w - self.below(watts))

    def carries(self, watts: Floats) -> bool:
        """Whether each rig may draw so many listed watts at once."""
        return bool((self.below(watts) <= self.room_w + 0.5).all())


def _prefix(at: Ints, watts: Floats, room_w: Floats) -> Bools:
    """Per node, the steps up to the first that does not fit; all of those at no node."""
    small = at.astype(np.int16 if len(room_w) < 1 << 15 else np.int64)  # sorted much faster
    order = np.argsort(small, kind="stable")
    sorted_at = at[order]
    total_w = np.cumsum(watts[order])
    begins = np.flatnonzero(np.diff(sorted_at, prepend=NOWHERE - 1))
    ends_w = total_w[begins - 1] * (begins > 0)
    before_w = np.repeat(ends_w, np.diff(np.append(begins, len(at))))
    fits = (sorted_at == NOWHERE) | (total_w - before_w <= room_w[sorted_at])
    kept = np.empty(len(at), dtype=bool)
    kept[order] = fits
    return kept


def branches(tree: Tree, node: Ints, floor_w: Ints, weight: Floats) -> Branches:
    """Rigs put on a tree."""
    floor = tree.sums(node, floor_w.astype(float))
    return Branches(tree, node, weight, np.maximum(0.0, tree.limit_w - floor))
