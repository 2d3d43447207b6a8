"""`make bench`: what the design promises of speed and size, measured side by side in one run and printed as ratios.

Not tests: a figure depends on the machine, so each is printed beside its goal and never asserted.
"""
