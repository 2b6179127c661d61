"""The pipe between a virtual ESP32 and its bench: the frames' numbers, said once.

    frame = op u8 | n u8 | size u16, little-endian | payload[size]

n is the pin, bus, UART or counter.  What only drives a wire (pins, PWM, UART
bytes, watchdog) is sent and forgotten; what can be answered or refused (ASKS)
waits for one ANSWER.  UART bytes from the bench come whenever they come.

In virtual time (lockstep.py) the bench speaks only when the board waits, and says
everything at once: size u32, then that many bytes of frames.  An answer with n above 0
is kept: the bench sends it again (KEPT) when it is about to be asked, and need not be.
"""

HEADER = "<BBH"
HEADER_SIZE = 4
PAYLOAD_MAX = 2048  # a whole frame stays below PIPE_BUF, so a write is all or nothing

# board -> bench, one way
PIN_WRITE = 1  # n pin; level u8
PIN_FLOAT = 2  # n pin; no longer driven
PWM = 3  # n pin; frequency Hz u32, duty u16
UART_SETUP = 4  # n uart; baud u32, bytes still unsent when it changed u32
UART_WRITE = 5  # n uart; bytes
WDT_FEED = 6  # period ms u32; the first one starts the watchdog
RESET = 7  # the program asked for a reset
SEEN = 8  # n of a kept answer that was used instead of asking (virtual time)
SOCKET_CONNECT = 9  # n socket; port u16, host
SOCKET_SEND = 10  # n socket; bytes
SOCKET_CLOSE = 11  # n socket
WLAN = 12  # n WLAN_OFF...; name of the network
LAN = 13  # n 1 switched on, 0 off
PIXELS = 14  # n pin; bytes of machine.bitstream
RTC_SET = 15  # as RTC
UDP_SEND = 22  # n socket; port u16, size of the host u8, host, data

# board -> bench -> board
PIN_READ = 16  # n pin -> level u8
I2C = 17  # n bus; I2C_HEAD, bytes to write -> status u8, bytes read
COUNTER = 18  # n counter; pin u8 -> rising edges so far u32
INFO = 19  # -> reset cause u8, unique id[6]
FLASH = 20  # n FLASH_...; about to change a file of the flash -> nothing, if power lasts
WAIT = 21  # n which arrivals end it early; WAIT_HEAD -> what has come, NOW
ASKS = (PIN_READ, I2C, COUNTER, INFO, FLASH)

# bench -> board
ANSWER = 64
UART_READ = 65  # n uart; bytes that came in
# the others only in virtual time
NOW = 66  # microseconds since power-on u64; the last frame of what ends a WAIT
KEPT = 67  # n of a kept answer; what it is in this instant, nothing when it must be asked
SOCKET_OPEN = 68  # n socket; it is connected
SOCKET_DATA = 69  # n socket; bytes
SOCKET_SENT = 70  # n socket; bytes that have arrived u32
SOCKET_OVER = 71  # n socket; errno u16, 0 when the other side closed it
WLAN_STATE = 72  # n 1 connected, 0 not; rssi i8
LAN_STATE = 74  # n 1 connected, 0 not
RTC = 73  # what time.time() is ahead of power-on, microseconds i64

# An I2C target's memory travels as bytes of a UART of this number and its bus.
# Board to bench: its address u8, the whole memory; nothing when it has gone.
# Bench to board: what the other controller wrote: memory address u8, bytes.
TARGET = 0x80

I2C_HEAD = "<BH"  # address, bytes to read
I2C_OK, I2C_NACK, I2C_STUCK = 0, 1, 2

WAIT_HEAD = "<Q"  # microseconds
WAIT_FRAME = HEADER + "Q"
FOR_EVER = 0xFFFF_FFFF_FFFF_FFFF
WAKE_BY_READ, WAKE_BY_WRITE = 1, 2  # what came for a socket; room to send again
WLAN_OFF, WLAN_ON, WLAN_CONNECT, WLAN_DISCONNECT = 0, 1, 2, 3
FLASH_OPEN, FLASH_WRITE, FLASH_SYNC, FLASH_RENAME, FLASH_REMOVE = 0, 1, 2, 3, 4
KEPT_MAX = 250
BUS_NAMES = {1: "pin", 2: "float", 3: "pwm", 5: "uart", 16: "pin?", 17: "i2c", 18: "counter"}
