"""HTTPS for clients that do another thing over it: a certificate of this test, and how Chromium trusts it."""

from __future__ import annotations

import base64
import ssl
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.store.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Return the TLS side of a server, and what makes Chromium trust its certificate."""
    files = Authority(folder).issue("server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    key = x509.load_pem_x509_certificate(files[0].read_bytes()).public_key()
    digest = sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return context, f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}"
