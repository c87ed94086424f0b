"""The server's door: pages and API through Django, sockets through Channels, the worker inside when embedded."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")

import django

django.setup(set_prefix=False)

from autonomy_site.servers import Pages, composed  # noqa: E402

application = composed(Pages())
