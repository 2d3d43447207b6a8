"""The crash harness: kills an installation's processes under load, and counts what it accepted against what it has.

Run as `python -m tinytrail.chaos`. It stands outside of what it tests: no Django is loaded here, an event counts as
accepted when its status line has been read from the network, and as stored when PostgreSQL says so at the end.
"""
