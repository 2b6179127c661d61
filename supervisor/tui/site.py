"""The upper part of the screen: the site in numbers, and its last minutes as a plot."""

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from supervisor import units
from supervisor.glance import count, efficiency, meter_age, next_change, plain, states
from supervisor.tui.moment import NOTHING, Moment
from supervisor.tui.plot import plot_text
from supervisor.view import SignalView, SiteView

LABEL, PAIR = 10, 40  # columns of a label; of a label and its value


class Facts(Widget):
    """The numbers.  What room is left below them goes to the signals."""

    moment: reactive[Moment] = reactive(NOTHING)

    def render(self) -> Text:
        lines = facts(self.moment)
        return Text("\n".join(lines[: self.size.height]), no_wrap=True, overflow="ellipsis")


class Plot(Widget):
    """Asked against metered."""

    moment: reactive[Moment] = reactive(NOTHING)

    def render(self) -> Text:
        return plot_text(self.moment, self.size.width, self.size.height)


def facts(moment: Moment) -> list[str]:
    """The lines of the panel.  A number that is no longer the truth carries its age."""
    if moment.frame is None:
        return ["", "no site to show yet"]
    site = moment.frame.site
    old = f" ({units.age(moment.age_s)} ago)" if moment.stale else ""
    return [
        f"{'signal':<{LABEL}}{units.watts(site.envelope_w)} from {plain(site.envelope_source)}:"
        f" {plain(site.because)}{old}",
        _pair("asked", units.watts(site.asked_w) + old) + _pair("metered", metered(moment, site)),
        _pair("budget", units.watts(site.budget_w) + old)
        + _pair("committed", units.watts(site.committed_w) + old),
        _pair("capacity", units.watts(site.capacity_w) + old)
        + _pair("next", next_change(site, moment.now_s) or "no change announced"),
        f"{'hashing':<{LABEL}}{units.hashrate(site.hash_ghs)},"
        f" {efficiency(site)} at the meter{old}",
        f"{'rigs':<{LABEL}}{count(site.rigs, 'rig')}: {states(site) or 'none heard yet'}{old}",
        "",
        *(said(signal, moment) for signal in site.signals),
    ]


def metered(moment: Moment, site: SiteView) -> str:
    if site.metered_w is None:
        return "never read"
    return f"{units.watts(site.metered_w)}, {units.age(meter_age(site, moment.now_s))} old"


def said(signal: SignalView, moment: Moment) -> str:
    """One source in a line."""
    limit = "no limit" if signal.limit_w is None else units.watts(signal.limit_w)
    heard = f"heard {units.age(signal.age_s + moment.age_s)} ago"
    over = ", over" if signal.over else ""
    return f"{plain(signal.source, 20)}: {limit}{over}, {heard}  {plain(signal.because)}".rstrip()


def _pair(label: str, value: str) -> str:
    return f"{label:<{LABEL}}{value:<{PAIR - LABEL}}"
