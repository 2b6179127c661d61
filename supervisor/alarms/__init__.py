"""Alarms: rules as data, a pure step from one snapshot to the next, and telling people."""
