"""7: the whole firmware joins a site over the network, and obeys it."""

import pytest

from hil.boards.board_bench import BoardBench
from tests.board.conftest import needs

pytestmark = pytest.mark.real_time


@pytest.mark.timeout(180)
def test_it_joins_hears_the_budget_and_sleeps(desk):
    host, port = str(desk.config["broker_host"]), int(desk.config["broker_port"])
    needs(host != "192.0.2.1", "a broker and Wi-Fi need --board-settings")
    with BoardBench(desk.port, host, port, desk.config, plug=desk.plug) as bench:
        heard = bench.site.heard(bench.board_rig.name)
        bench.run_until(lambda: heard.joined, 90, "joined")
        assert heard.hello["nonce"] and heard.wrong == []
        bench.site.budget(0)
        bench.run_until(lambda: heard.state["seq"] == bench.site.seq, 20, "the budget is heard")
        assert heard.state["state"] in ("asleep", "fault") and heard.state["level"] == 0
