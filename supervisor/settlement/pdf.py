"""A sealed report as a PDF: the same lines and the same drawing as the page."""

import io
from collections.abc import Sequence

from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from supervisor.settlement import plot, words
from supervisor.settlement.seal import Sealed

Rows = Sequence[tuple[str, ...]]
STYLES = getSampleStyleSheet()
MARGIN, FACTS = 36.0, (150.0, 570.0)  # points
GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, "#999999"),
        ("FONTSIZE", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
    ]
)


def pdf(sealed: Sealed) -> bytes:
    out, title = io.BytesIO(), f"{sealed.report.site}: what was asked and what was drawn"
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN)
    document = SimpleDocTemplate(out, pagesize=landscape(A4), title=title, invariant=1, **margins)
    facts = [*words.facts(sealed.report), ("signed by", f"{sealed.ed25519.key} (Ed25519)")]
    story: list[Flowable] = [
        Paragraph(_plain(title), STYLES["Title"]),
        _table([], facts, FACTS),
        Spacer(1, 8),
        plot.drawing(sealed.report),
    ]
    for name, heads, rows in words.tables(sealed.report):
        story += [Paragraph(name, STYLES["Heading2"]), _table([heads], rows)]
    story += [
        Paragraph("Signature", STYLES["Heading2"]),
        Paragraph(_wrapped(sealed.ed25519.value), STYLES["Code"]),
    ]
    document.build(story)
    return out.getvalue()


def _table(heads: Rows, rows: Rows, widths: Sequence[float] | None = None) -> Table:
    cells = [
        [Paragraph(_plain(cell), STYLES["BodyText"]) for cell in row] for row in (*heads, *rows)
    ]
    return Table(cells, widths, style=GRID, hAlign="LEFT", repeatRows=len(heads))


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _wrapped(text: str, width: int = 64) -> str:
    return "<br/>".join(text[at : at + width] for at in range(0, len(text), width))
