"""A small IEEE 2030.5 utility server with the limits of CSIP-AUS, on envoy-schema.

Its documents are made by the models of another implementation than the site's side is built
on.  One end device, one program; objects in memory.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from envoy_schema.server.schema.sep2 import (
    der,
    device_capability,
    end_device,
    event,
    function_set_assignments,
    types,
)
from envoy_schema.server.schema.sep2 import time as clock_model
from envoy_schema.server.schema.sep2.identification import Link, ListLink

models: Any = der
KIND = "application/sep+xml"


def power(w: float) -> Any:
    """16 bits and a power of ten."""
    multiplier = 0
    while abs(w) > 32_767:
        w, multiplier = w / 10, multiplier + 1
    return models.ActivePower(multiplier=multiplier, value=round(w))


class Utility:
    """controls: as they are served.  down: nobody is there.  garbage: what is answered instead."""

    def __init__(self, lfdi: str = "aa" * 20, now: Callable[[], float] = time.time) -> None:
        self.lfdi, self.now = lfdi, now
        self.controls: list[der.DERControlResponse] = []
        self.default: der.DefaultDERControl | None = None
        self.posts: list[tuple[str, bytes]] = []  # (path, document)
        self.down, self.garbage, self.asked = False, b"", 0

    def control(
        self, start_s: float, length_s: int, import_w: float | None, status: int = 0, **more: Any
    ) -> der.DERControlResponse:
        limits = {} if import_w is None else {"opModImpLimW": power(import_w)}
        made = der.DERControlResponse(
            href=f"/derc/{len(self.controls)}",
            replyTo="/rsps/1/rsp",
            responseRequired="03",
            mRID=f"{len(self.controls) + 1:032x}",
            creationTime=int(start_s),
            EventStatus_=event.EventStatus(
                currentStatus=status, dateTime=int(start_s), potentiallySuperseded=False
            ),
            interval=types.DateTimeIntervalType(duration=length_s, start=int(start_s)),
            DERControlBase_=der.DERControlBase(**limits),
            **more,
        )
        self.controls.append(made)
        return made

    def say_default(self, import_w: float, grad: int | None = None) -> None:
        self.default = der.DefaultDERControl(
            href="/dderc",
            mRID="d" * 32,
            DERControlBase_=der.DERControlBase(opModImpLimW=power(import_w)),
            setGradW=grad,
        )

    def posted(self, path: str) -> list[bytes]:
        """The documents put below a path."""
        return [body for where, body in self.posts if where.startswith(path)]

    def document(self, path: str) -> bytes | None:
        """What lies at a path now."""
        makers: dict[str, Callable[[], Any]] = {
            "/dcap": self._capability,
            "/tm": self._time,
            "/edev": self._devices,
            "/edev/1/fsa": self._assignments,
            "/derp": self._programs,
            "/dderc": lambda: self.default,
            "/derc": lambda: der.DERControlListResponse(
                href="/derc",
                all_=len(self.controls),
                results=len(self.controls),
                DERControl=self.controls,
            ),
        }
        made = makers[path]() if path in makers else None
        return None if made is None else made.to_xml(skip_empty=False, exclude_none=True)

    def _capability(self) -> Any:
        return device_capability.DeviceCapabilityResponse(
            TimeLink=Link(href="/tm"),
            EndDeviceListLink=ListLink(href="/edev", all_=1),
            MirrorUsagePointListLink=ListLink(href="/mup", all_=0),
        )

    def _time(self) -> Any:
        now_s = int(self.now())
        zero: dict[str, Any] = {
            "dstEndTime": 0,
            "dstOffset": 0,
            "dstStartTime": 0,
            "quality": 3,
            "tzOffset": 0,
        }
        return clock_model.TimeResponse(href="/tm", currentTime=now_s, **zero)

    def _devices(self) -> Any:
        device = end_device.EndDeviceResponse(
            href="/edev/1",
            lFDI=self.lfdi,
            sFDI=1,
            changedTime=int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
            FunctionSetAssignmentsListLink=ListLink(href="/edev/1/fsa", all_=1),
        )
        return end_device.EndDeviceListResponse(href="/edev", all_=1, results=1, EndDevice=[device])

    def _assignments(self) -> Any:
        one = function_set_assignments.FunctionSetAssignmentsResponse(
            href="/edev/1/fsa/1", mRID="f" * 32, DERProgramListLink=ListLink(href="/derp", all_=1)
        )
        return function_set_assignments.FunctionSetAssignmentsListResponse(
            href="/edev/1/fsa", all_=1, results=1, FunctionSetAssignments=[one]
        )

    def _programs(self) -> Any:
        one = der.DERProgramResponse(
            href="/derp/1",
            mRID="e" * 32,
            primacy=0,
            DERControlListLink=ListLink(href="/derc", all_=len(self.controls)),
            DefaultDERControlLink=None if self.default is None else Link(href="/dderc"),
        )
        return der.DERProgramListResponse(href="/derp", all_=1, results=1, DERProgram=[one])

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """As an ASGI application, for uvicorn."""
        self.asked += 1
        status, body = 404, b""
        if self.down:
            status = 503
        elif scope["method"] == "POST":
            self.posts.append((scope["path"], await _body(receive)))
            status = 201
        elif self.garbage:
            status, body = 200, self.garbage
        elif (found := self.document(scope["path"])) is not None:
            status, body = 200, found
        headers = [(b"content-type", KIND.encode()), (b"location", scope["path"].encode() + b"/1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
