"""The pipe between a virtual ESP32 and its bench: the frames' numbers, said once.

    frame = op u8 | n u8 | size u16, little-endian | payload[size]

n is the pin, bus, UART or counter.  What only drives a wire (pins, PWM, UART
bytes, watchdog) is sent and forgotten; what can be answered or refused (ASKS)
waits for one ANSWER.  UART bytes from the bench come whenever they come.
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

# board -> bench -> board
PIN_READ = 16  # n pin -> level u8
I2C = 17  # n bus; I2C_HEAD, bytes to write -> status u8, bytes read
COUNTER = 18  # n counter; pin u8 -> rising edges so far u32
INFO = 19  # -> reset cause u8, unique id[6]
ASKS = (PIN_READ, I2C, COUNTER, INFO)

# bench -> board
ANSWER = 64
UART_READ = 65  # n uart; bytes that came in

I2C_HEAD = "<BH"  # address, bytes to read
I2C_OK, I2C_NACK, I2C_STUCK = 0, 1, 2
