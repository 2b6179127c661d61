"""Everything a story can say, for each kind of stage: quantities, events, acts.

hil/README.md has the same as tables; a test compares.
"""

from hil.story_acts import Act
from hil.story_words import Quantity, Vocabulary
from protocols import meanings, messages

DARK = "dark"
LIGHTS = {  # which of red, green and blue are on
    (1, 0, 0): "red",
    (0, 1, 0): "green",
    (0, 0, 1): "blue",
    (1, 1, 0): "amber",
    (1, 0, 1): "violet",
    (1, 1, 1): "white",
}
RIG_QUANTITIES = {
    # the plant's truth
    "board_w": Quantity("the hash boards draw, behind the supply", "W", 0, 6000),
    "wall_w": Quantity("the whole rig draws from the wall", "W", 0, 8000),
    "aim_w": Quantity("the wall watts that the last broadcast admits, by the rig's table", "W"),
    "hash_ghs": Quantity("hashes that come out right", "GH/s"),
    "rail_v": Quantity("the supply's output", "V", 0, 16),
    "hash_power": Quantity("the hash-power pin", words=("off", "on")),
    "light": Quantity("the light on its front now", words=(DARK, *LIGHTS.values())),
    "fan_rpm": Quantity("the slowest fan turns", "rpm", 0, 8000),
    "fan_pm": Quantity("the fans' duty at the pin, in thousandths", "", 0, 1000),
    "outlet_c": Quantity("the hottest board's outlet", "C", -50, 200),
    "inlet_c": Quantity("the hottest board's inlet", "C", -50, 200),
    "chip_c": Quantity("the chips of the hottest board", "C", -50, 300),
    "alive": Quantity("whether the controller's program runs", words=("no", "yes")),
    "starts": Quantity("how often the controller has started", "", 0, 1000),
    "cause": Quantity("of the last start", words=("power on", "reset pin", "watchdog", "software")),
    "way": Quantity("to the network, with an address", words=("none", "wifi", "ethernet")),
    "clock_off_s": Quantity("its wall clock is wrong by", "s", 0, 1e10),
    # the firmware's word
    "state": Quantity("as the rig says", words=("unheard", *messages.STATES)),
    "level": Quantity("the operating point, as the rig says", "", 0, 32),
    "cap_level": Quantity("the highest level it can hold, as it says", "", 0, 32),
    "said_w": Quantity("its power, as the rig says", "W", 0, 100_000),
    "said_ghs": Quantity("its hash rate, as the rig says", "GH/s"),
    "said_age_s": Quantity("since the rig last said its state", "s"),
    "link": Quantity("as the broker knows it", words=("unheard", "up", "down")),
    "joins": Quantity("how often the rig was joined", "", 0, 1000),
    "why": Quantity("what limits the rig, in its words", free=True),
    "console": Quantity("what its console said last", free=True),
}
RIG_EVENTS = {
    "start": "the controller started",
    "joined": "the supervisor took it in",
    "button": "somebody at the rig pressed or held its button, or let it go",
    "no-line": "RS-485 is asked for, and the board has none",
    "black-box": "the last minutes before a fault were kept",
    "told": "the answer to words in a command",
    "power-late": "the power loop was held up",
    "network": "another way to the network is used",
    "bug": "a task of the link failed",
    "power-unread": "the supply's watts cannot be what the boards draw",
    "chips": "another number of a board's chips answer",
    **meanings.RULES,
}
RIG_ACTS = (
    Act("budget level <number>", "budget", "broadcast what admits this level; 5.5 is half a step"),
    Act("silence", "silence", "the supervisor says nothing any more, until the next budget"),
    Act("break <fault>", "break_", "one of the faults of this page"),
    Act("mend everything", "mend_all", "all faults are over"),
    Act("mend <fault>", "mend", "that fault is over"),
    Act("broker down", "broker_down", "the broker's program is gone, and what it had retained"),
    Act("broker up", "broker_up", "it listens again"),
    Act("broker half-open", "half_open", "its connections stay, and nothing passes on them"),
    Act("network <away|back>", "network", "nothing arrives and nothing is refused, either way"),
    Act("lose <percent>", "lose", "so much of what goes over the network, to be sent again"),
    Act("delay <time>", "delay", "the network takes so long, each way"),
    Act("wifi <off|on>", "wifi", "the access point"),
    Act("cable <out|in>", "cable", "its network cable"),
    Act("name server <silent|back>", "name_server", "who tells the broker's address by its name"),
    Act("time server <silent|wrong|back>", "time_server", "who tells the time; wrong: by 3 years"),
    Act("uplink <dead|alive>", "uplink", "the switch behind its cable: the link stands whatever"),
    Act("kill", "kill", "the controller's program ends at once"),
    Act("start", "start", "its power comes on"),
    Act("brown-out of <time>", "brown_out", "the controller has no power for so long"),
    Act("hold the button for <time>", "button", "the one on the rig's front"),
    Act("stall <time>", "stall", "the controller is held up once, for so long"),
    Act(
        "restart, save settings, and lose power at write <number>",
        "save_and_lose_power",
        "before that change to a file, counted from 1; never when there are fewer",
    ),
    Act("lose power at write <number>", "lose_power", "before that change to a file from now on"),
    Act("update to a broken firmware", "break_firmware", "its program fails as soon as it starts"),
    Act("clock <change>", "clock", "the controller's wall clock jumps, as NTP does it"),
    Act("air <number> C", "air", "the hall's temperature from now on"),
    Act("noise on board <number> for <time>", "noise", "bytes out of nowhere on its UART"),
    Act("replay budgets", "replay_budgets", "every budget so far, again"),
    Act("replay commands", "replay_commands", "every command so far, again"),
    Act("forge a budget", "forge", "a high budget with a wrong seal"),
    Act("budget of an old term", "old_term", "a high one of a supervisor that is deposed"),
)

SITE_QUANTITIES = {
    "drawn_kw": Quantity("what the whole site truly draws", "kW"),
    "limit_kw": Quantity("the envelope: the least that anybody allows", "kW"),
    "limit_by": Quantity("whose limit it is, and why", free=True),
    "asked_kw": Quantity(
        "the envelope between floor and capacity, rising no faster than the ramp", "kW"
    ),
    "committed_kw": Quantity("the worst the site can draw now, by the supervisor's account", "kW"),
    "ahead_kw": Quantity("drawn above what is asked", "kW"),
    "over_kw": Quantity("drawn above the limit", "kW"),
    "short_kw": Quantity("drawn below what limit and able rigs allow", "kW"),
    "settled_s": Quantity("since the limit last fell", "s"),
    "rise_kw": Quantity("drawn above the least of the last minute", "kW"),
    "fall_kw": Quantity("drawn below the most of the last minute", "kW"),
    "awake": Quantity("rigs that run", "rigs", 0, 5000),
    "waking": Quantity("rigs on their way up", "rigs", 0, 5000),
    "faulty": Quantity("rigs in fault", "rigs", 0, 5000),
    "joined": Quantity("rigs that hold a ladder", "rigs", 0, 5000),
    "wakes": Quantity("how often any rig began to wake", "", 0, 1e6),
    "term": Quantity("generation of the supervisor, from 1", "", 0, 1000),
    "supervisor": Quantity("whether there is one", words=("dead", "alive")),
    "meter_age_s": Quantity("of the last reading the supervisor believes", "s"),
    "error_pct": Quantity("the most the supervisor is wrong about a model's power", "%", 0, 1000),
    "refused": Quantity("what the supervisor did not take, the last of it", free=True),
    "fans": Quantity("facility fans that move air", "fans", 0, 20),
    "air_c": Quantity("the air the rigs breathe", "C", -50, 150),
}
SITE_ACTS = (
    Act("ask <percent>", "ask", "the grid's word on feed one, repeated every 20 s from now on"),
    Act("feed two asks <percent>", "ask_two", "the same on a second feed"),
    Act("feed one silent", "silent", "says nothing any more"),
    Act("feed two silent", "silent_two", "says nothing any more"),
    Act(
        "flap between <percent> and <percent> every <time>", "flap", "feed one, until it asks again"
    ),
    Act("repeat the first word", "old_word", "feed one's very first message, again"),
    Act("ask <percent> with a clock <change>", "skewed", "once, with that error in its timestamp"),
    Act("a person allows <percent>", "person", "a person's own limit, until taken back"),
    Act("the person takes it back", "withdraw", "that limit is gone"),
    Act(
        "meter <silent|frozen|flipped|healed>", "meter", "flipped: its sign, as after a swapped CT"
    ),
    Act("supervisor dies", "die", "kill -9"),
    Act("supervisor back", "back", "started again from its ledger"),
    Act("broker down", "broker_down", "no message passes, either way"),
    Act("broker up", "broker_up", "all rigs connect again at once"),
    Act("wake fails <percent>", "fail_wakes", "so many of the rigs that wake end in fault"),
    Act("<percent> of rigs stay on", "stuck_on", "they say they sleep and draw as before"),
    Act("rigs say no power", "mute_power", "their own word of their watts is 0"),
    Act("facility fans <fail|turn>", "fans", "fail: they are told to run, and stand still"),
)

VOCABULARIES = {"rig": Vocabulary(RIG_QUANTITIES, RIG_EVENTS), "site": Vocabulary(SITE_QUANTITIES)}
ACTS = {"rig": RIG_ACTS, "site": SITE_ACTS}
# quantities whose changes are told in the timeline
TOLD = {"rig": ("state", "link", "alive", "starts"), "site": ("supervisor", "limit_kw", "faulty")}
