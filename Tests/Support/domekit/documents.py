"""Small documents of every kind that doc.text reads, made from nothing."""

from __future__ import annotations

import io
import zipfile

CORE = b'<c:core xmlns:c="c" xmlns:d="d"><d:title>A title</d:title><d:creator>N</d:creator></c:core>'
WORD = (
    '<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>One</w:t><w:tab/><w:t>two</w:t></w:r></w:p>'
    "<w:p><w:r><w:instrText>no text</w:instrText><w:t>\u00fc &amp; &lt;three&gt;</w:t></w:r></w:p>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>c1</w:t></w:r></w:p></w:tc>"
    "<w:tc><w:p><w:r><w:t>c2</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>"
).encode()
HTML = (
    '<!DOCTYPE html><html><head><meta charset="iso-8859-1"><title>A  title</title><script>no()</script></head>'
    "<body><nav>menu</nav><h1>Head</h1><p>Text \u00fc.</body></html>"
).encode("latin-1")


def archive(parts: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, part in parts.items():
            made.writestr(name, part)
    return data.getvalue()


def docx(document: bytes = WORD) -> bytes:
    return archive({"docProps/core.xml": CORE, "word/document.xml": document})


def pptx() -> bytes:
    def slide(text: str) -> bytes:
        return f'<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>'.encode()

    # Numbered, not in the order of the names.
    slides = {10: "second slide", 2: "first slide"}
    return archive({f"ppt/slides/slide{number}.xml": slide(text) for number, text in slides.items()})


def xlsx() -> bytes:
    strings = b"<sst><si><t>shared</t></si></sst>"
    sheet = (
        b'<worksheet><sheetData><row><c t="s"><v>0</v></c><c><v>4.5</v></c><c t="inlineStr"><is><t>inline</t></is></c>'
        b'</row><row><c t="s"><v>99</v></c><c t="str"><v>yes</v></c></row></sheetData></worksheet>'
    )
    return archive({"xl/workbook.xml": b"<w/>", "xl/sharedStrings.xml": strings, "xl/worksheets/sheet1.xml": sheet})


def odt() -> bytes:
    content = (
        '<o:document-content xmlns:o="o" xmlns:t="t"><o:body><o:text><t:h>Head</t:h>'
        "<t:p>One<t:tab/>two<t:s/>\u00fc</t:p></o:text></o:body></o:document-content>"
    ).encode()
    meta = b'<o:m xmlns:o="o" xmlns:d="d"><d:title>A title</d:title></o:m>'
    kind = b"application/vnd.oasis.opendocument.text"
    return archive({"mimetype": kind, "content.xml": content, "meta.xml": meta})


def pdf() -> bytes:
    """Two pages of a line each."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [4 0 R 6 0 R] /Count 2 >>", font]
    for number, text in ((5, b"First page"), (7, b"Second page")):
        stream = b"BT /F1 12 Tf 72 700 Td (" + text + b") Tj ET"
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % number
        )
        objects.append(b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream")
    objects.append(b"<< /Title (A title) >>")
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, start = len(objects) + 1, len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % size + table
    return data + b"trailer\n<< /Size %d /Root 1 0 R /Info 8 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
