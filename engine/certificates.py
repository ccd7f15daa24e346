"""Which certificates a client trusts."""

from __future__ import annotations

import ssl
from pathlib import Path


class CertificatesError(ValueError):
    """Raised when a file of certificates to trust cannot be used."""


def tls_context(verify: bool | str) -> ssl.SSLContext:
    """Return what checks a server's certificate by the usual authorities, or by those of a file.

    Args:
        verify: False to check nothing; a text is the path of the file.

    Raises:
        CertificatesError: If there is no such file, or it holds none.
    """
    file = Path(verify).expanduser() if isinstance(verify, str) and verify else None
    try:
        context = ssl.create_default_context(cafile=file)
    except OSError as error:
        reason = (error.strerror or "it holds none").lower()
        if isinstance(error, ssl.SSLError):
            reason = "it holds none"
        msg = f"the file of certificates to trust cannot be used: {reason}"
        raise CertificatesError(msg) from None
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
