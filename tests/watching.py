"""Who is told of a report: a real mail server with its letters, and a real https server that comes and goes."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anlan.intake import signing, watches
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report, Watch
from anlan.intake.wire import Signature
from anlan.kernel import catalogue
from anlan.presentation import followers, sending, telling
from serving import free_port

SCHEME = Signature()
MINE = "wo.de@example.org"


class MailBox:
    """The letters that arrived, in order; `answer` is what the server says to a recipient."""

    def __init__(self) -> None:
        self.port, self.answer = free_port(), "250 OK"
        self.letters: list[tuple[list[str], EmailMessage]] = []
        self._server: Any = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - the server calls it so
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server calls it so
        made = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.letters.append((list(envelope.rcpt_tos), made))
        return "250 OK"

    def up(self) -> None:
        self._server = Controller(self, hostname="127.0.0.1", port=self.port)
        self._server.start()

    def down(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?tls=none&from=anlan@example.org"

    def words(self, place: int) -> str:
        """What a letter says."""
        return str(self.letters[place][1].get_content())

    def link(self, place: int, purpose: str) -> str:
        """The path of the link for `purpose` in a letter."""
        found = re.search(rf"http://testserver(/r/watch/{purpose}/\S+)", self.words(place))
        assert found is not None, self.words(place)
        return found[1]


@contextmanager
def mail_box() -> Iterator[MailBox]:
    """A mail server that is up, and down afterwards."""
    box = MailBox()
    box.up()
    try:
        yield box
    finally:
        box.down()


class Listener:
    """A web address of a resident's own, by https; `answer` makes what is said of what was sent."""

    def __init__(self, folder: Path) -> None:
        self.port, self.certificate, self.status, self.echoes = free_port(), folder / "own.pem", 200, True
        self.dawdles = 0.0
        self.got: list[tuple[Mapping[str, str], bytes]] = []
        self._server: ThreadingHTTPServer | None = None
        self.certificate.write_bytes(_certificate())

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/in"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def up(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def is_signed(self, place: int, secret: str) -> bool:
        """Whether what arrived bears our signature, as the other side would check it."""
        headers, body = self.got[place]
        named = {name.casefold(): value for name, value in headers.items()}
        given, timestamp, nonce = (named[h.casefold()] for h in (SCHEME.header, SCHEME.timestamp, SCHEME.nonce))
        return signing.is_signed(given, [secret], SCHEME, timestamp=timestamp, nonce=nonce, body=body)


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.got.append((dict(self.headers), body))
            said = json.dumps({"challenge": json.loads(body).get("challenge")}).encode() if listener.echoes else b"ok"
            self.send_response(listener.status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            for each in said:
                # Byte by byte: no single wait is long, all of them together are.
                time.sleep(listener.dawdles)
                self.wfile.write(bytes([each]))

        def log_message(self, *args: Any) -> None:
            """Nothing: a test says itself what went wrong."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

    return Handler


@contextmanager
def listening(folder: Path) -> Iterator[Listener]:
    """A listener that is up, and down afterwards."""
    listener = Listener(folder)
    listener.up()
    try:
        yield listener
    finally:
        listener.down()


def to_ourselves(url: str, body: bytes, said: Mapping[str, str]) -> tuple[int, bytes]:
    """As residents' addresses are told, but for this machine's own being allowed: a test has no other."""
    return sending.post_to(url, body, said, private=True, most=telling.MOST, within=2)


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return plain + made.public_bytes(pem)


# ---------------------------------------------------------------- whoever asks, and the loops


def asked(code: str, address: str = MINE, client: Client | None = None) -> Any:
    return (client or Client()).post(reverse("resident_watch", args=[code]), {"address": address})


def told(*, at: dt.datetime | None = None) -> int:
    """What happened is read and told, as the loops would; how much arrived."""
    followers.drain(at=timezone.now())
    return telling.turn(at=at or timezone.now(), post=to_ourselves)


def confirmed(box: MailBox, code: str) -> Watch:
    """Somebody who asked for letters and pressed the button."""
    assert asked(code).status_code == 302
    assert told() == 1
    assert Client().post(box.link(-1, "confirm")).status_code == 200
    return Watch.objects.get()


def listened(listener: Listener, report: Report, *, at: dt.datetime) -> tuple[Watch, str]:
    """A web address that has not been asked yet."""
    channel = catalogue.current().get(CHANNELS, "resident")
    return watches.ask(report, "webhook", listener.url, origin="http://testserver", channel=channel, at=at)
