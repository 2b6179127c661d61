"""The real firmware on virtual parts and a real broker: the contract, seen from outside."""

import asyncio
import json

import pytest

from tests.hil.peer import TTL_MS, Peer, met

pytestmark = pytest.mark.real_time


def near(watts: float, wanted_w: float) -> bool:
    return abs(watts - wanted_w) < 0.02 * wanted_w


def watts(peer: Peer, level: int) -> int:
    return int(peer.hello["points"][level - 1][0])


@pytest.mark.asyncio
@pytest.mark.timeout(90)
async def test_the_life_of_a_rig(tmp_path, broker_port):
    async with met(tmp_path, broker_port, "rig-life") as (peer, rig):
        assert (peer.hello["boards"], peer.hello["chips"], len(peer.hello["points"])) == (3, 195, 8)
        # not joined: a good budget is nothing to it
        await peer.budget(100_000)
        # joined: the command itself raises nothing
        peer.admit_w = None
        ladder = await peer.welcome()
        assert peer.state["level"] == 0 and rig.board_w == 0 and not rig.plant.supply.enabled

        # a budget: it wakes, and draws what its table says
        await peer.budget(ladder[2][2])
        await peer.until(lambda: rig.hash_ghs > 0, 15, "the first hash")
        wake_s = await peer.until(lambda: near(rig.power_w, watts(peer, 3)), 20, "level 3")
        await peer.until(lambda: rig.hash_ghs == peer.hello["points"][2][1], 2, "its hash rate")
        print(f"level 3 {wake_s:.1f} s after the first hash")
        # half of a step
        half_w = (watts(peer, 3) + watts(peer, 4)) / 2
        await peer.budget((ladder[3][1] + ladder[3][2]) // 2)
        await peer.until(lambda: near(rig.power_w, half_w), 10, "half of the step to level 4")
        assert peer.state["level"] == 3

        # what is forged, replayed or of an old term changes nothing
        high = peer.sent[-1]
        await peer.obeyed(ladder[1][2])
        await peer.raw_budget(high)
        forged = json.loads(peer.sent[-1])
        forged |= {"seq": peer.seq + 1, "admit_w": 100_000}
        await peer.raw_budget(json.dumps(forged, separators=(",", ":")).encode())
        await peer.budget(100_000, term=0)
        await peer.obeyed(ladder[1][2])
        assert peer.state["level"] == 2 and peer.state["seq"] == peer.seq
        await peer.until(lambda: near(rig.power_w, watts(peer, 2)), 10, "level 2")

        # nobody speaks: asleep when the lease ends, and it must join again
        peer.admit_w = None
        quiet_s = await peer.until(lambda: rig.board_w == 0, TTL_MS / 1000 + 0.5, "lease ended")
        assert quiet_s > TTL_MS / 1000 - 1.5
        await peer.until(lambda: len(peer.nonces) == 2, 5, "a fresh nonce")
        await peer.raw_command(peer.commands[0])
        await peer.raw_budget(high)
        ladder = await peer.welcome()
        assert rig.board_w == 0 and peer.state["level"] == 0
        await peer.budget(ladder[0][2])
        await peer.until(lambda: near(rig.power_w, watts(peer, 1)), 15, "level 1 again")
        await peer.budget(0)
        assert await peer.until(lambda: rig.board_w == 0, 1, "budget 0") < 1

        # the controller dies; back again it is a stranger
        await peer.budget(ladder[0][2])
        await peer.until(lambda: rig.hash_ghs > 0, 15, "awake")
        rig.kill()
        await peer.until(lambda: rig.board_w == 0, 1, "its pins fall")
        await peer.until(lambda: peer.links[-1:] == [b"down"], 10, "the will")
        rig.restart()
        await peer.until(lambda: len(peer.nonces) == 3, 10, "hello after the reboot")
        for old in (*peer.commands, *peer.sent[-3:]):
            await (peer.raw_command(old) if b'"nonce"' in old else peer.raw_budget(old))
        await peer.welcome()
        assert peer.state["state"] == "asleep" and rig.board_w == 0
        assert peer.links[-1] == b"up" and rig.resets == [1, 1]


# fault -> seconds it may take until no board draws a watt
FAULTS = {"fan_stopped:2": 3.0, "sensor_lost:3": 10.0, "i2c_stuck:0": 10.0, "psu_off": 3.0}


@pytest.mark.asyncio
@pytest.mark.timeout(60)
async def test_what_breaks_takes_hash_power_off(tmp_path, broker_port):
    """All at once, each on a rig of its own; the broadcast that says "run" goes on."""
    async with asyncio.TaskGroup() as tasks:
        for number, (fault, limit_s) in enumerate(FAULTS.items()):
            tasks.create_task(broken(tmp_path, broker_port, f"rig-{number}", fault, limit_s))


async def broken(tmp_path, port, name, fault, limit_s):
    async with met(tmp_path, port, name) as (peer, rig):
        ladder = await peer.welcome()
        await peer.obeyed(ladder[0][2])
        await peer.until(lambda: near(rig.power_w, watts(peer, 1)), 30, "level 1")
        rig.faults.add(fault)
        off_s = await peer.until(lambda: rig.board_w == 0, limit_s, fault)
        await peer.until(lambda: peer.state["state"] == "fault", 5, "state says fault")
        print(f"{fault}: off after {off_s:.2f} s, {peer.state['why']!r}")
        assert peer.state["cap_level"] == 0 and peer.state["why"]
        assert rig.alive and rig.resets == [1]
