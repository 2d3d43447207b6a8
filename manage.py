#!/usr/bin/env python
"""Django's command line. Commands start the embedded servers themselves when these are not running."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tinytrail.settings")
    from tinytrail.commandline import main

    main(sys.argv)
