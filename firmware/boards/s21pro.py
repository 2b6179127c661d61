"""A rig of S21 Pro boards: an ESP32-S3, 3 x 65 BM1370, one PMBus supply, 4 fans.

Facts only: pins, buses, counts, limits.  firmware/board.py makes machine objects of
them.  The REPL of this controller is on USB, so that all three UARTs are free.
"""

MODEL = "S21 Pro 3x65 BM1370"

# hash boards: uart, tx, rx, enable (high = powered), reset (low = held in reset)
BOARDS = (
    (0, 17, 18, 4, 7),
    (1, 15, 16, 5, 8),
    (2, 13, 14, 6, 9),
)
CHIP = 1370
DOMAINS, CHIPS_PER_DOMAIN = 13, 5
CHIPS_LEAST_PM = 900  # of a board's chips, or it is no good
ADDRESS_STEP = 2  # between chips; the factory addresses 128 of them whatever is there
SWEEP = 0x1EB5  # HASH_COUNTING of a stock S21 Pro at any of its clocks

HASH_POWER_PIN = 10  # the supply's enable; low cuts all hash power whatever I2C does
LED_PIN = 3  # a WS2812
BUTTON_PIN = 0  # pulls down; the BOOT button of a development board

# i2c number, scl, sda, hertz
SENSOR_BUS = (0, 48, 47, 100_000)
SUPPLY_BUS = (1, 2, 1, 100_000)
# name, address, kind, board; a TMP75 at each end of a board's air path
SENSORS = (
    ("inlet 0", 0x48, "inlet", 0),
    ("outlet 0", 0x49, "outlet", 0),
    ("inlet 1", 0x4A, "inlet", 1),
    ("outlet 1", 0x4B, "outlet", 1),
    ("inlet 2", 0x4C, "inlet", 2),
    ("outlet 2", 0x4D, "outlet", 2),
)
SUPPLY_ADDRESS = 0x58
# a W5500 where one is fitted: SPI number, sck, mosi, miso, cs, interrupt
ETHERNET = ("w5500", 2, 36, 35, 37, 34, 33)

FAN_PWM_PIN, FAN_HERTZ = 21, 25_000  # one line to all fans
FAN_TACH_PINS = (38, 39, 40, 41)  # fan n on pulse counter n; two pulses a turn
FAN_DUTY_MIN_PM = 200  # asleep
FAN_DUTY_HASHING_MIN_PM = 300
# duty in 1/1000 and the rpm a sound fan makes of it: recorded 2130 rpm at 20 % and
# 5950 at 92 %; a fan that is allowed to be slower than its kind is not known
FAN_CURVE = ((0, 0), (200, 2130), (920, 5950), (1000, 5950))
FAN_FULL_W, FAN_FULL_RPM = 60, 5900  # all four; goes with the cube of the speed
# duty the fan loop settles at in a 25 C hall: load of the supply in 1/1000 -> duty
POINT_FAN_PM = ((0, 300), (350, 300), (500, 430), (750, 740), (900, 920))

# operating points by level from 1: megahertz and millivolts of the board rail
POINTS = (
    (200, 11_900),
    (300, 11_900),
    (400, 12_200),
    (450, 12_500),
    (500, 12_800),
    (550, 13_100),
    (590, 13_400),
    (630, 13_700),
)
FIRST_KHZ = 56_250  # where every climb begins; captured on a stock S21 Pro
UP_KHZ, DOWN_KHZ = 6_250, 25_000  # a step of 100 ms
STEP_MV = 100  # the most the rail may move in one step
SUPPLY_MV_MIN = 11_900  # the supply can do no less; the top point is the most we ask

# fit of recorded S21 Pro rigs: effective switched capacity of one chip in picofarad,
# and what all chips leak at 1 V on a domain, warm, in watts
CHIP_PF = 23_200
LEAK_W = 27
SUPPLY_RATED_W = 3_700
# the supply loses a + b P + c P^2 watts: 95.6 % efficient at 0.8 kW, 93 % at 3.2 kW
SUPPLY_LOSS = (12.0, 0.0177, 1.59e-5)
CONTROLLER_W = 5
FLOOR_W = 25
CHIP_ABOVE_OUTLET_DC = 150  # the chips are this much hotter than the outlet sensor
WAKE_MS = 6_000  # measured on the bench: 5 s from a budget to level 1
