"""The server's door: pages and API through Django, sockets through Channels, the worker inside when embedded."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from autonomy_site.servers import composed  # noqa: E402

application = composed(pages)
