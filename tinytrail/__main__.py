"""`python -m tinytrail`: what `make run` starts. Wrong settings show themselves here, when they are read."""

import sys

from django.core.exceptions import ImproperlyConfigured

from tinytrail import embedded

if __name__ == "__main__":
    try:
        from tinytrail import supervisor

        supervisor.main()
    except (ImproperlyConfigured, embedded.EngineError) as error:
        sys.exit(str(error))
