"""The mail server of the installation, as one address says it: smtp://user:password@host:port?tls=…&from=…"""

from __future__ import annotations

from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TIMEOUT = 10
PORTS = {"starttls": 587, "ssl": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in, and from whom they are. `tls` is "starttls", "ssl" or "none"."""

    host: str
    port: int
    user: str
    password: str
    tls: str
    sender: str

    @property
    def options(self) -> dict[str, Any]:
        """What Django's SMTP connection is made with."""
        return {
            "host": self.host, "port": self.port, "username": self.user, "password": self.password,
            "use_tls": self.tls == "starttls", "use_ssl": self.tls == "ssl", "timeout": TIMEOUT,
        }  # fmt: skip


def mail_server(url: str) -> MailServer | None:
    """The server at `url`; None without one. Stops the start where it cannot be understood."""
    if not url.strip():
        return None
    try:
        parts = urlsplit(url.strip())
        asked = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong() from None
    # A password in the clear is sent only by who says so.
    tls = asked.pop("tls", "ssl" if parts.scheme == "smtps" else "starttls")
    user = unquote(parts.username or "")
    sender = asked.pop("from", user if "@" in user else f"anlan@{host}")
    if parts.scheme not in ("smtp", "smtps") or not host or tls not in PORTS or asked or not _is_plain(sender):
        raise _wrong()
    return MailServer(host, port or PORTS[tls], user, unquote(parts.password or ""), tls, sender)


def _is_plain(sender: str) -> bool:
    try:
        return bool(Address(addr_spec=sender).domain)
    except (ValueError, IndexError, HeaderParseError):
        return False


def _wrong() -> ImproperlyConfigured:
    # The address is not repeated: it holds a password.
    return ImproperlyConfigured(
        "ANLAN_EMAIL_URL 要写成 smtp://用户:密码@主机:端口?tls=starttls（或 ssl、none）&from=名称@主机 / "
        "Write ANLAN_EMAIL_URL as smtp://user:password@host:port?tls=starttls (or ssl, none)&from=name@host"
    )
