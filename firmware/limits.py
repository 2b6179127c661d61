"""The last word before any actuator.  Nothing else may write to one.

Small on purpose; every line and every mutant of it is tested.  A request outside
the limits is refused whole and never trimmed: whoever asks for the impossible is
broken, and must be seen to be broken.  Refused hash power is no hash power;
a refused fan duty is full speed.
"""

from collections import namedtuple

# the rail in millivolts and the hash clock in kilohertz; clock 0 is chips in reset
Request = namedtuple("Request", ("on", "mv", "khz"))
OFF = Request(False, 0, 0)
DUTY_FULL_PM = 1000

Envelope = namedtuple(
    "Envelope",
    (
        "mv_min",
        "mv_max",
        "mv_per_step",
        "khz_first",  # the first clock after reset
        "khz_max",
        "khz_per_step",  # upwards; down there is no limit
        "duty_min_pm",
        "patience_ms",  # silence of the safety loop that closes the gate
    ),
)


class Gate:
    """Passes a request or says why not; closes by itself when the safety loop is silent."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._silent_ms = envelope.patience_ms  # closed until somebody speaks
        self._may_hash = False
        self._last = OFF
        self.refused = 0

    def heartbeat(self, may_hash: bool) -> None:
        """The safety loop lives, and says whether there may be hash power."""
        self._silent_ms = 0
        self._may_hash = may_hash

    def elapse(self, elapsed_ms: int) -> None:
        self._silent_ms += elapsed_ms

    def judge(self, request: Request) -> tuple[Request, str]:
        """What to apply, and why it is not what was asked ("" when it is)."""
        reason = self._fault(request)
        if reason:
            self.refused += 1
            request = OFF
        self._last = request
        return request, reason

    def judge_duty(self, duty_pm: int) -> tuple[int, str]:
        """The same for the fans."""
        if type(duty_pm) is int and self._envelope.duty_min_pm <= duty_pm <= DUTY_FULL_PM:
            return duty_pm, ""
        self.refused += 1
        return DUTY_FULL_PM, "fan duty"

    def _fault(self, request: Request) -> str:  # noqa: PLR0911
        limits, last = self._envelope, self._last
        if request == OFF:
            return ""
        if not self._silent_ms < limits.patience_ms:
            return "the safety loop is silent"
        if not self._may_hash:
            return "not allowed to hash"
        if request.on is not True or type(request.mv) is not int or type(request.khz) is not int:
            return "not a request"
        if not limits.mv_min <= request.mv <= limits.mv_max:
            return "millivolts"
        if not 0 <= request.khz <= limits.khz_max:
            return "kilohertz"
        if not last.on:
            return "" if request.khz == 0 else "clock before power"
        if abs(request.mv - last.mv) > limits.mv_per_step:
            return "millivolts in one step"
        if request.khz > (last.khz + limits.khz_per_step if last.khz else limits.khz_first):
            return "kilohertz in one step"
        return ""
