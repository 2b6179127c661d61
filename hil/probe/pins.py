"""The probe's wires: a second ESP32-S3, every pin to the rig's pin of the same number.

These repeat firmware/boards/s21pro.py on purpose, seen from the other end: what the
rig drives is heard here, and what it hears is driven.  Both grounds are one.
"""

UARTS = ((0, 18, 17), (1, 16, 15), (2, 14, 13))  # uart, our tx = its rx, our rx = its tx
BUSES = ((0, 48, 47), (1, 2, 1))  # i2c, scl, sda
LEVELS = (4, 5, 6, 7, 8, 9, 10)  # enable and reset of three boards; hash power
DUTY = 21  # the fans' PWM line
TACHS = (38, 39, 40, 41)
