"""The sections of the settings file, one file each; supervisor/config.py reads them."""
