#!/usr/bin/env python
"""The command line of Autonomy OS: `python manage.py help` lists what it can do."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:  # also while the modules are read, which takes seconds on a busy machine
        sys.exit(130)
