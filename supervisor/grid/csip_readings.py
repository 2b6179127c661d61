"""What a utility server is told of the site's power: a mirror usage point, and its readings.

One point for the whole site, import as forward power in watts.  A reading that is not known
is not sent: the server sees that it is missing.
"""

import hashlib
from typing import Any

from supervisor.grid.told import Told

MIRROR_OF_PREMISES = b"\x00\x03"  # role flags: a mirror, of the premises' connection
POWER, WATTS, FORWARD, INSTANT, ELECTRICITY = 37, 38, 1, 12, 1
VALID = b"\x00\x01"


def usage_point(site: str, lfdi: bytes) -> Any:
    """The point, with the kind of its one reading; the same at every start."""
    from py20305.models.sep import sep

    kind = sep.ReadingType1(
        accumulation_behaviour=sep.AccumulationBehaviourType(value=INSTANT),
        commodity=sep.CommodityType(value=ELECTRICITY),
        flow_direction=sep.FlowDirectionType(value=FORWARD),
        kind=sep.KindType(value=POWER),
        power_of_ten_multiplier=sep.PowerOfTenMultiplierType(value=0),
        uom=sep.UomType(value=WATTS),
    )
    reading = sep.MirrorMeterReading1(
        m_rid=_mrid(site, "reading"), description="import", reading_type=kind
    )
    return sep.MirrorUsagePoint(
        m_rid=_mrid(site, "point"),
        description=site[:32],
        role_flags=sep.RoleFlagsType(value=MIRROR_OF_PREMISES),
        service_category_kind=sep.ServiceKind(value=0),
        status=1,
        device_lfdi=lfdi,
        mirror_meter_reading=[reading],
    )


def reading(site: str, told: Told, server_s: float) -> Any | None:
    """The power of now; None when it is not known."""
    if told.quality != "ok" or told.metered_w is None:
        return None
    from py20305.models.sep import sep

    period = sep.DateTimeInterval(duration=1, start=sep.TimeType(value=int(server_s)))
    said = sep.Reading1(value=told.metered_w, quality_flags=VALID, time_period=period)
    return sep.MirrorMeterReading(m_rid=_mrid(site, "reading"), reading=said)


def _mrid(site: str, what: str) -> Any:
    from py20305.models.sep import sep

    digest = hashlib.sha256(f"surplus/{site}/{what}".encode()).digest()
    return sep.MRidtype(value=digest[:16])
