"""What runs on the ESP32 of every mining rig."""

import gc

VERSION = "0.1.0"

# Collect often and little: what is left free stays in one piece, and no turn of the
# safety loop has to wait for a long collection.
if hasattr(gc, "threshold"):
    gc.threshold(8_192)
