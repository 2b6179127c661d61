"""What is alarming: one table.  A rule is a bound on what is measured, with words for a technician.

Everything measured grows as it gets worse.  At `above` for `delay_s` the alarm is raised; below
`below` for `hold_s` it is cleared; in between it stays what it is.  What is measured:
measures.py.  supervisor/README.md has the same table; a test compares.
"""

from typing import NamedTuple

CRITICAL, WARNING, NOTICE = SEVERITIES = ("critical", "warning", "notice")  # the worst first


class Rule(NamedTuple):
    """measure: of the site, or of each rig when it begins with "rig."."""

    name: str
    severity: str
    measure: str
    above: float
    below: float
    delay_s: float
    hold_s: float
    text: str  # what is wrong, as a headline
    means: str
    check: str
    tool: str = "none"

    @property
    def of_rigs(self) -> bool:
        return self.measure.startswith("rig.")


RULES = (
    Rule(
        "above-asked", CRITICAL, "site.over_asked_pct", 0.5, 0.2, 5, 10,
        "the site draws more than is asked",
        "the grid was promised less than the meter shows",
        "surplus why: whose limit holds; rigs that draw though admitted nothing; loads that "
        "are no rigs",
        "clamp meter at the feeder",
    ),
    Rule(
        "above-lease", CRITICAL, "site.over_envelope_pct", 0.1, 0.0, 3, 5,
        "leases given out may exceed the envelope",
        "a fall of the envelope is not yet covered: rigs cut off from us may still run on an "
        "old budget",
        "surplus rigs state:down and state:silent; it ends by itself within one lease",
    ),
    Rule(
        "meter-stale", CRITICAL, "meter.stale", 1.0, 0.9, 3, 5,
        "a meter is not read, or stands still",
        "the loop is open: a margin of up to 5 % is kept until it reads again",
        "the meter's display, its address in the settings, the Modbus gateway, surplus doctor",
        "laptop with a Modbus tool, network cable, screwdriver",
    ),
    Rule(
        "airflow-unproven", CRITICAL, "drive.unproven_s", 20, 1, 0, 5,
        "a facility fan or pump is to run, and nothing shows that it does",
        "rigs do not rise, or are shed to what the others carry",
        "the drive's display and its breaker; belt; surplus signal list says which and why",
        "belt, fuse, laptop with a Modbus tool",
    ),
    Rule(
        "signal-silent", WARNING, "signal.silent", 1.0, 0.5, 2, 5,
        "a signal is silent or over",
        "its default holds until it speaks again",
        "surplus signal list; the line to the grid operator; whoever sends it",
        "the grid operator's number",
    ),
    Rule(
        "signal-refused", WARNING, "source.refused_per_min", 3, 1, 0, 120,
        "what a source says is refused",
        "messages that are none, are old or are impossible; the word before them stands",
        "surplus top, log: the reason of each; what was changed at the other end",
    ),
    Rule(
        "broker-lost", CRITICAL, "broker.lost_s", 5, 1, 0, 5,
        "no connection to the broker",
        "no budget goes out: every rig sleeps when its lease ends",
        "surplus doctor; the broker's log in the state directory",
    ),
    Rule(
        "beat-late", WARNING, "beat.late_s", 2, 1, 0, 60,
        "the supervisor decides late",
        "the machine is too slow or its disk hangs; leases may run out",
        "surplus doctor: disk speed; other programs on this machine",
    ),
    Rule(
        "clock-stepped", WARNING, "clock.step_s", 2, 1, 0, 300,
        "this machine's clock jumped",
        "signals are judged by the clock: a wrong one ends or prolongs them",
        "timedatectl, chronyc tracking",
    ),
    Rule(
        "disk-short", WARNING, "disk.short_mb", 0, -200, 30, 60,
        "less than 2 GB free in the state directory",
        "when the disk is full the supervisor stops, and the site sleeps",
        "what else fills the disk; how long history is kept",
    ),
    Rule(
        "messages-lost", WARNING, "inbox.lost_per_min", 1, 1, 0, 120,
        "rig messages were thrown away",
        "more came than could be heard: a flood, or a machine too slow",
        "surplus doctor; which rig talks too much",
    ),
    Rule(
        "wrong-tokens", WARNING, "door.wrong_per_min", 20, 5, 0, 300,
        "somebody tries tokens",
        "requests with a token that is none keep coming",
        "surplus audit; which program on this machine has an old token",
    ),
    Rule(
        "untold", WARNING, "notify.failing_s", 120, 1, 0, 5,
        "alarms cannot be sent",
        "webhook or mail server do not take them: nobody is told but those who look here",
        "the address and the password file in the settings; the log of the supervisor",
    ),
    Rule(
        "standby-missing", WARNING, "standby.unready_s", 30, 5, 0, 5,
        "no standby is ready to take over",
        "when this supervisor dies nobody leads, and every rig sleeps when its lease ends",
        "surplus status on the other host: whether it runs, reaches the broker and has the whole "
        "record; its clock",
    ),
    Rule(
        "history-unwritten", WARNING, "history.failing", 1, 0.5, 0, 5,
        "telemetry cannot be written",
        "ten minutes at a time are missing from the history; the ledger has every decision",
        "the log of the supervisor; room and rights in history/ of the state directory",
    ),
    Rule(
        "rigs-out", CRITICAL, "site.out_pct", 20, 10, 10, 60,
        "a fifth of all rigs is out",
        "silent, cut off or in fault: a network or supply they share, or a bad update",
        "surplus rigs, by place: what they have in common",
        "cable tester, spare switch",
    ),
    Rule(
        "behind", NOTICE, "site.under_asked_pct", 5, 3, 300, 60,
        "the site stays below what is asked",
        "rigs that could run do not: slow to wake, capped by heat, or further from their "
        "tables than learned",
        "surplus rigs --order hot; rigs that do not join; how much margin is kept",
    ),
    Rule(
        "rig-stays-on", CRITICAL, "rig.unadmitted_pct", 50, 30, 15, 10,
        "draws though it is admitted nothing",
        "it stays on when told to leave: its power stage or its firmware does not obey",
        "its own breaker; the hash-power relay; its event log",
        "insulated screwdriver, clamp meter",
    ),
    Rule(
        "rig-fault", WARNING, "rig.fault", 1, 0.5, 2, 5,
        "in fault",
        "a safety rule has taken its hash power; `why` says which",
        "the words it says; fans and cables before anything is switched on again",
        "spare fan, spare supply, screwdriver",
    ),
    Rule(
        "rig-fan", CRITICAL, "rig.fan_stopped", 1, 0.5, 3, 10,
        "hashes and reports no fan",
        "it will overheat within seconds, or its tach line is broken",
        "fans by eye and ear; the tach cable; filters",
        "spare fan, torch",
    ),
    Rule(
        "rig-hot", WARNING, "rig.hot_c", 70, 65, 30, 60,
        "hot",
        "at 72 °C it switches itself off; something stops its air",
        "filters, blocked outlets, its neighbours, the container's own fans",
        "torch, vacuum cleaner, thermometer",
    ),
    Rule(
        "rig-silent", WARNING, "rig.missed", 3, 2, 10, 5,
        "silent",
        "nothing heard for three telemetry periods on a connection that stands; it is "
        "counted as drawing all it was admitted",
        "its lights; its switch port; whether its clock or its session hangs",
        "network cable, laptop",
    ),
    Rule(
        "rig-down", WARNING, "rig.down_s", 30, 1, 0, 5,
        "cut off",
        "the broker has lost it: no power, no network, or its controller restarts for ever",
        "its lights; breaker; switch port; Wi-Fi",
        "voltage tester, network cable",
    ),
    Rule(
        "rig-unjoined", WARNING, "rig.unjoined", 1, 0.5, 120, 5,
        "talks and is given no ladder",
        "it joins again and again, or another supervisor commands it",
        "its keys against this site's; its firmware's version; a second supervisor",
        "laptop",
    ),
    Rule(
        "rig-capped", NOTICE, "rig.capped_pct", 25, 10, 600, 60,
        "holds itself back",
        "it runs below its top level by its own decision, mostly for heat; its megawatts are "
        "given to others",
        "`why`; temperature; dust",
        "vacuum cleaner",
    ),
    Rule(
        "rig-greedy", WARNING, "rig.over_pct", 30, 15, 120, 60,
        "draws far more than its level says",
        "its table of operating points is wrong or its supply fails",
        "measure it; characterise it again",
        "clamp meter",
    ),
    Rule(
        "rig-poor", NOTICE, "rig.hash_low_pct", 25, 15, 600, 60,
        "hashes far less than its level says",
        "dead chips or a dead board, or volts too low",
        "its boards and chips in the dashboard; its event log",
        "spare hash board",
    ),
)  # fmt: skip

BY_NAME = {rule.name: rule for rule in RULES}
