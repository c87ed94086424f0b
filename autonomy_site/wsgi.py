"""The door for WSGI servers: pages and API without sockets, for installations that split the two."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")

application = get_wsgi_application()
