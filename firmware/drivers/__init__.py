"""What drivers raise when a part does not do what it must; the text is for a person."""


class BoardError(Exception):
    """A hash board."""


class SupplyError(Exception):
    """The power supply gave no believable answer."""


class SensorError(Exception):
    """A thermometer, fan controller or monitor gave none."""
