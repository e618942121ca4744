"""Files behind attachment URLs: the uploaded file, else a small PDF that names its application."""

import mimetypes
from urllib.parse import quote

from starlette.responses import Response

from join_pipeline.sandbox.state import State


def document(state: State, application: int, name: str) -> Response:
    written = state.written.application(application)
    if written is not None:
        uploaded = written.documents[int(name)]
        kind = mimetypes.guess_type(uploaded.name)[0] or "application/octet-stream"
        name = f"attachment; filename*=UTF-8''{quote(uploaded.name, safe='')}"
        return Response(uploaded.content, media_type=kind, headers={"content-disposition": name})
    return Response(_pdf(f"Application {application + 1}, file {name}"), media_type="application/pdf")


def _pdf(text: str) -> bytes:
    """One page with one line, with a cross-reference table that viewers accept."""
    drawing = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()
