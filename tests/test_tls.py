"""Whom encrypted connections trust."""

from __future__ import annotations

import ssl

from collector.tls import trusting_nobody


def test_what_is_made_meanwhile_trusts_nobody_and_what_is_made_after_is_as_ever() -> None:
    before = ssl.SSLContext.set_default_verify_paths
    with trusting_nobody():
        context = ssl.create_default_context()

    assert context.cert_store_stats()["x509_ca"] == 0
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert ssl.SSLContext.set_default_verify_paths is before
