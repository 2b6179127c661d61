"""What a person reads out of the views: what is wrong, how old, what comes next.

Plain functions of a view and the time, for the command line and the screens alike.
"""

from supervisor.units import age, hashrate, joules_per_th, watts
from supervisor.view import PreviewView, SiteView, StandbyView

TICK_STALE_S = 3.0  # three beats of the supervisor
LEADER_STALE_S = 5.0  # by then a follower leads itself
METER_STALE_S = 5.0  # five readings of the site meter
OVERSHOOT_SHARE = 0.005  # of capacity: what the site meter cannot tell from nothing
FALL_S = 5  # rigs have this long to follow a fall of what is asked
SICK_STATES = ("fault", "down")  # "silent" is counted by the view itself


def wrongs(site: SiteView, now_s: float) -> list[str]:
    """What is wrong with the site, in words; empty when nothing is."""
    found = []
    if (tick_age_s := tick_age(site, now_s)) > TICK_STALE_S:
        found.append(f"the supervisor has decided nothing for {age(tick_age_s)}")
    if site.metered_w is None:
        found.append("the site meter has not been read")
    elif (meter_age_s := meter_age(site, now_s)) is not None and meter_age_s > METER_STALE_S:
        found.append(f"the site meter was last read {age(meter_age_s)} ago")
    elif (over_w := above_asked_w(site)) > 0:
        found.append(f"the site draws {watts(over_w)} above what is asked")
    if site.silent:
        found.append(f"{count(site.silent, 'rig')} silent")
    found += [
        f"{count(site.by_state[state], 'rig')} in state {state}"
        for state in SICK_STATES
        if site.by_state.get(state)
    ]
    return found


def standby_wrongs(standby: StandbyView) -> list[str]:
    """What is wrong with a supervisor that follows another; empty when nothing is."""
    found = []
    if not standby.connected:
        found.append("no connection to the broker")
    elif standby.heard_s > LEADER_STALE_S:
        found.append(f"no leader has been heard for {age(standby.heard_s)}")
    if not standby.ready:
        found.append("it could not take over with all that is known: rigs would sleep a lease")
    return found


def above_asked_w(site: SiteView) -> int:
    """Watts metered above what may be drawn; 0 within it.

    A fall of what is asked counts from FALL_S after it; the history has a value a second.
    """
    if site.metered_w is None:
        return 0
    allowed_w = max(site.asked_history_w[-FALL_S - 1 :], default=site.asked_w)
    over_w = site.metered_w - max(allowed_w, site.asked_w)
    return over_w if over_w > site.capacity_w * OVERSHOOT_SHARE else 0


def tick_age(site: SiteView, now_s: float) -> float:
    """Seconds since this was the truth."""
    return max(0.0, now_s - site.at_s)


def meter_age(site: SiteView, now_s: float) -> float | None:
    """Age of the meter's reading now, not when the view was made."""
    return None if site.meter_age_s is None else site.meter_age_s + tick_age(site, now_s)


def efficiency(site: SiteView) -> str:
    """J/TH at the meter; unknown when the meter is: an old reading says nothing of now."""
    fresh = site.meter_age_s is not None and site.meter_age_s <= METER_STALE_S
    return joules_per_th(site.metered_w if fresh else None, site.hash_ghs)


def next_change(site: SiteView, now_s: float) -> str:
    """ "900 kW in 12 m 05 s"; "" when nothing is announced."""
    if site.next_change_s is None:
        return ""
    return f"{watts(site.next_w)} in {age(site.next_change_s - now_s)}"


def states(site: SiteView) -> str:
    """ "912 running, 80 asleep, 8 silent", the most numerous first."""
    rows = sorted(site.by_state.items(), key=lambda row: (-row[1], row[0]))
    return ", ".join(f"{number:,} {state}" for state, number in rows if number)


def effect(found: PreviewView) -> list[str]:
    """What an order would do, for somebody who has to say yes."""
    rigs = {
        "sleep": found.sleep,
        "wake": found.wake,
        "run lower": found.lower,
        "run higher": found.raise_,
    }
    lines = [f"{watts(found.now_w)} now, {watts(found.then_w)} then"]
    lines += [f"{count(number, 'rig')} to {what}" for what, number in rigs.items() if number]
    if found.up_s > 1:
        lines.append(f"reached in {age(found.up_s)}, at the declared ramp")
    if found.down_s:
        lines.append(f"reached in {age(found.down_s)}")
    if found.lost_ghs:
        lines.append(f"{hashrate(abs(found.lost_ghs))} {_less(found.lost_ghs)}")
    if found.lost_mwh:
        energy = f"{abs(found.lost_mwh):.3g} MWh {_less(found.lost_mwh)}"
        lines.append(f"{energy} in {age(found.over_s)}")
    return lines


def _less(lost: float) -> str:
    return "less" if lost > 0 else "more"


def count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def plain(text: str, longest: int = 200) -> str:
    """Somebody else's text made safe to print: one line, nothing a terminal would obey."""
    safe = "".join(letter if letter.isprintable() else "�" for letter in text[: longest + 1])
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"
