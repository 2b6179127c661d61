"""A site whose rigs are messages we write, for the tests of its beat."""

from protocols import mac, messages, topics
from supervisor.config import Config
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger
from supervisor.sections.site import SiteConfig
from supervisor.site import Site
from tests.scenarios.world import KEY, SITE, UNIX_S
from tests.supervisor import small

BUDGET, KEY_OF_ALL = topics.budget(SITE), mac.budget_key(KEY)


class Alone:
    """A site whose rigs are messages we write; said holds what it published."""

    def __init__(self, folder, **settings):
        self.inbox, self.now_s, self.said = Inbox(), 0.0, []
        self.ledger = Ledger(folder / "ledger.db")
        settings = {"limit_mw": 1.0, "default_mw": 0.002, "up_ramp_mw_per_min": 60.0} | settings
        config = Config(site=SiteConfig(name=SITE, **settings))
        self.site = Site(config, self.inbox, self.ledger, KEY, self.now_s, UNIX_S + self.now_s)

    def tick(self):
        self.now_s += 1.0
        self.said = []

        def publish(topic, payload):
            self.said.append((topic, payload))
            return True

        return self.site.tick(self.now_s, UNIX_S + self.now_s, publish)

    def budget(self):
        (payload,) = (p for t, p in self.said if t == BUDGET)
        return messages.decode("budget", mac.unseal(KEY_OF_ALL, BUDGET, payload))

    def commands(self):
        """{rig: command} of the last tick, each under its own seal."""
        out = {}
        for topic, payload in self.said:
            if topic != BUDGET:
                _, rig, kind = topics.parse(topic)
                assert kind == "cmd" and rig not in out
                body = mac.unseal(mac.rig_key(KEY, rig), topic, payload)
                out[rig] = messages.decode("cmd", body)
        return out

    def rows(self, kind):
        return self.ledger.read(kind)


def joined(alone, rigs=2):
    """Rigs that have asked and were given their ladders."""
    for name in small.names(rigs):
        alone.inbox.put_rig(name, "hello", small.hello())
        alone.inbox.put_rig(name, "state", small.state())
    while not (commands := (alone.tick(), alone.commands())[1]):
        assert alone.now_s < 20
    return commands
