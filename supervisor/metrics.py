"""The site for Prometheus: metrics of the site, of each place, and of the rigs asked for.

28,571 rigs times ten metrics would drown whoever collects them; so only the sickest few are
there by themselves, and any other by its name.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from supervisor.view import AlarmView, PlaceView, RigView, SignalDetail, SiteView

TOP, TOP_MAX = 10, 200  # sickest rigs shown by themselves
HASHES = 1e9  # in a GH

Rows = Iterable[tuple[tuple[str, ...], float]]


class Seen(NamedTuple):
    """All that metrics are made of."""

    site: SiteView
    meters: dict[str, tuple[int, float]]  # name -> (watts, age_s)
    signals: Sequence[SignalDetail]
    places: Sequence[PlaceView]
    rigs: Sequence[RigView]
    alarms: Sequence[AlarmView]
    totals: dict[str, dict[str, int]]  # counters since the start: name -> by what -> how many


def text(seen: Seen) -> bytes:
    """In the format Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(seen))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Collector:
    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        yield from of_site(self._seen)
        yield from of_signals(self._seen.signals)
        yield from of_places(self._seen.places)
        yield from of_rigs(self._seen.rigs)
        yield from of_alarms(self._seen.alarms)
        yield from of_totals(self._seen.totals)


def of_site(seen: Seen) -> Iterator[Metric]:
    site = seen.site
    for name, value, what in (
        ("envelope_watts", site.envelope_w, "what may be imported, the lowest of all signals"),
        ("asked_watts", site.asked_w, "the envelope within floor and capacity, up at the ramp"),
        ("budget_watts", site.budget_w, "for all rigs above asleep"),
        ("position_watts", site.admit_w, "broadcast: the position on the merit order"),
        ("committed_watts", site.committed_w, "the worst the rigs can draw now"),
        ("floor_watts", site.floor_w, "with all rigs asleep"),
        ("capacity_watts", site.capacity_w, "with all able rigs at their top"),
        ("hashrate_hashes_per_second", site.hash_ghs * HASHES, "of all rigs, as they say"),
        ("term", site.term, "of the supervisor's leadership"),
        ("epoch", site.epoch, "of the ladders broadcast"),
        ("decided_timestamp_seconds", site.at_s, "Unix time of the last decision"),
    ):
        yield _gauge(name, what, (), [((), value)])
    meters = seen.meters.items()
    yield _gauge("metered_watts", "as last read", ("meter",), [((m,), w) for m, (w, _) in meters])
    ages = [((meter,), age_s) for meter, (_, age_s) in meters]
    yield _gauge("meter_age_seconds", "of the last reading", ("meter",), ages)
    states = [((state,), count) for state, count in site.by_state.items()]
    yield _gauge("rigs", "by state", ("state",), states)


def of_signals(signals: Sequence[SignalDetail]) -> Iterator[Metric]:
    said = [((s.source,), s.limit_w) for s in signals if s.limit_w is not None]
    yield _gauge("signal_limit_watts", "what a source allows now", ("source",), said)
    ages = [((s.source,), s.age_s) for s in signals]
    yield _gauge("signal_age_seconds", "since it was last heard", ("source",), ages)
    fresh = [((s.source,), float(s.health == "fresh")) for s in signals]
    yield _gauge("signal_fresh", "1 while its word holds", ("source",), fresh)


def of_places(places: Sequence[PlaceView]) -> Iterator[Metric]:
    for name, what, member, unit in (
        ("place_power_watts", "as its rigs say", "power_w", 1.0),
        ("place_admitted_watts", "what its rigs may draw", "admitted_w", 1.0),
        ("place_hashrate_hashes_per_second", "as its rigs say", "hash_ghs", HASHES),
        ("place_hot_celsius", "of its hottest rig", "hot_dc", 0.1),
    ):
        yield _gauge(
            name, what, ("place",), [((p.place,), getattr(p, member) * unit) for p in places]
        )
    states = [((p.place, state), n) for p in places for state, n in p.by_state.items()]
    yield _gauge("place_rigs", "by state", ("place", "state"), states)


def of_rigs(rigs: Sequence[RigView]) -> Iterator[Metric]:
    for name, what, member, unit in (
        ("rig_power_watts", "as it says", "power_w", 1.0),
        ("rig_admitted_watts", "what it may draw", "admitted_w", 1.0),
        ("rig_hashrate_hashes_per_second", "as it says", "hash_ghs", HASHES),
        ("rig_hot_celsius", "its hottest outlet", "hot_dc", 0.1),
        ("rig_fan_rpm", "its slowest fan", "fan_rpm", 1.0),
        ("rig_level", "its operating point", "level", 1.0),
        ("rig_heard_seconds", "since it was last heard", "age_s", 1.0),
        ("rig_sickness", "0 is well", "sickness", 1.0),
    ):
        rows = [((r.rig, r.place, r.state), getattr(r, member) * unit) for r in rigs]
        yield _gauge(name, what, ("rig", "place", "state"), rows)


def of_alarms(alarms: Sequence[AlarmView]) -> Iterator[Metric]:
    rows = [((alarm.rule, alarm.subject, alarm.severity), alarm.count) for alarm in alarms]
    yield _gauge("alarm", "rigs of what stands", ("rule", "subject", "severity"), rows)


def of_totals(totals: dict[str, dict[str, int]]) -> Iterator[Metric]:
    for name, by in totals.items():
        family = CounterMetricFamily(f"surplus_{name}", f"{name}, since the start", labels=("by",))
        for label, total in by.items():
            family.add_metric((label,), total)
        yield family


def _gauge(name: str, what: str, labels: Sequence[str], rows: Rows) -> Metric:
    family = GaugeMetricFamily(f"surplus_{name}", what, labels=labels)
    for values, value in rows:
        family.add_metric(values, float(value))
    return family
