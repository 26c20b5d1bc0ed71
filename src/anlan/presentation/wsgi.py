"""What a WSGI server serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from anlan.kernel import catalogue, memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anlan.presentation.settings")
application = get_wsgi_application()

# Needs Django ready: declarations are checked against each other once all layers are there.
from django.urls import reverse  # noqa: E402

from anlan.presentation import checks, parent  # noqa: E402

checks.refuse_problems(catalogue.current())
parent.end_with_parent()
reverse("home")  # the pages are read now, not while the first visitor waits
memory.settle()
