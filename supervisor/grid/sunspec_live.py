"""What a site shows in its SunSpec registers: who it is, what it draws, what it was told.

A number that is not known reads "not implemented", as SunSpec has it, and never the last one.
"""

from importlib.metadata import version

from supervisor.grid.capability import OFF_S
from supervisor.grid.sunspec_map import Image
from supervisor.grid.told import Told
from supervisor.sections.frequency import FrequencyConfig

INT16 = 32_767
OFF, ON, THROTTLED = 0, 1, 4  # 701.St, 701.InvSt
HZ_SF, PCT_SF = -2, -2
DB_SF, K_SF, RSP_SF, COMPLETED = -3, -5, -1, 1  # of 711: millihertz, 1/1000 %, 1/10 s


def settle_scales(image: Image, limit_w: int, default_w: int) -> None:
    """What never changes: names, scale factors, and where set-points revert to at first."""
    scale = watt_scale(limit_w)
    for name, text in (("Mn", "Surplus"), ("Md", "mining site"), ("Vr", version("surplus"))):
        image.put(1, name, text)
    image.put(1, "DA", 1)
    for name, value in (("W_SF", scale), ("Hz_SF", HZ_SF), ("TotWh_SF", 0), ("ACType", 3)):
        image.put(701, name, value)
    set_scale = 0 if limit_w < 2_000_000_000 else 1
    for name, value in (
        *(("WMaxLimPct_SF", PCT_SF), ("WSetPct_SF", PCT_SF), ("WSet_SF", set_scale)),
        *(("WMaxLimPctEna", 0), ("WSetEna", 0), ("WSetMod", 1)),
        *(("WMaxLimPctEnaRvrt", 1), ("WSetEnaRvrt", 1)),
        *(("WMaxLimPct", 10_000), ("WMaxLimPctRvrt", 10_000 * default_w // limit_w)),
        *(("WSet", -default_w // 10**set_scale), ("WSetRvrt", -default_w // 10**set_scale)),
        *(("WSetPct", 0), ("WSetPctRvrt", -(10_000 * default_w // limit_w))),
        *(("WMaxLimPctRvrtTms", 0), ("WSetRvrtTms", 0)),
    ):
        image.put(704, name, value)
    for name in ("LocRemCtl", "DERHb", "ControllerHb", "AlarmReset", "OpCtl"):
        image.put(715, name, 0)


def settle_droop(image: Image, droop: FrequencyConfig | None) -> None:
    """The site's answer to the frequency, to be read only: it is settled in the settings.

    Above its frequency a load has nothing to give, so that dead band is as wide as the
    frequency itself.
    """
    on = int(droop is not None)
    for name, value in (
        *(("Ena", on), ("AdptCtlReq", on), ("AdptCtlRslt", COMPLETED), ("NCtl", 1)),
        *(("RvrtTms", 0), ("RvrtRem", 0), ("RvrtCtl", 0), ("Ctl.ReadOnly", 1)),
        *(("Db_SF", DB_SF), ("K_SF", K_SF), ("RspTms_SF", RSP_SF)),
    ):
        image.put(711, name, value)
    if droop is not None:
        for name, value in (
            ("DbOf", round(droop.nominal_hz * 10**-DB_SF)),
            ("DbUf", round(droop.dead_band_hz * 10**-DB_SF)),
            ("KOf", 0xFFFE),
            ("KUf", round(droop.droop_pct / 100 * 10**-K_SF)),
            ("RspTms", round(OFF_S * 10**-RSP_SF)),
        ):
            image.put(711, f"Ctl.{name}", value)


def watt_scale(limit_w: int) -> int:
    """The power of ten that lets a site's power fit 16 bits: 4 for 100 MW."""
    return next(scale for scale in range(10) if limit_w / 10**scale <= INT16)


def fill(image: Image, told: Told | None, limit_w: int, beats: int) -> None:
    """The values of now.  beats: one more every second, for 715.DERHb."""
    scale = watt_scale(limit_w)
    fresh = told is not None and told.quality == "ok"
    w = -(told.metered_w or 0) / 10**scale if told is not None and fresh else None
    image.put(701, "W", w)
    image.put(701, "Hz", told.hz * 100 if told is not None and told.hz else None)
    running = told is not None and fresh and (told.metered_w or 0) > 2 * told.floor_w
    image.put(701, "St", ON if running else OFF)
    held = told is not None and told.limit_w < told.capacity_w
    image.put(701, "InvSt", (THROTTLED if held else 3) if running else OFF)
    image.put(701, "ConnSt", ON)
    image.put(701, "Alrm", 0)
    image.put(701, "DERMode", 0)
    image.put(715, "DERHb", beats & 0x7FFF_FFFF)
