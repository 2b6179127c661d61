"""What runs on the ESP32 of every mining rig."""

VERSION = "0.1.0"
