"""QR codes as drawings for a page."""

from __future__ import annotations

import qrcode
from markupsafe import Markup

_QUIET = 4  # modules around the code (ISO/IEC 18004, 9.1)


def svg(text: str) -> Markup:
    """Return a drawing of *text* as a QR code, error correction M."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=_QUIET)
    code.add_data(text)
    rows = code.get_matrix()
    side = len(rows)
    dark = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module
    )
    return Markup(
        '<svg class="qr" viewBox="0 0 {0} {0}" shape-rendering="crispEdges" aria-hidden="true">'
        '<rect width="{0}" height="{0}" fill="#fff"/><path d="{1}" fill="#000"/></svg>'
    ).format(side, dark)
