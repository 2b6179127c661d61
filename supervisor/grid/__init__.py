"""The protocols of control rooms: each says what it hears to the inbox, and what it is told back.

An adapter is a module with adapter_of(config, inbox, board), which is None until it is
configured, and a class with run().  It decodes, refuses with a reason, and puts one Entry;
it decides nothing.  What it shows to the grid comes from told.py.
"""
