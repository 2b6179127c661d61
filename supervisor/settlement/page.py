"""A sealed report as one HTML page that needs nothing else, with the sealed report inside.

The page is made from the sealed report alone, so a checker makes it again and compares.
"""

import re
from html import escape

import msgspec
from reportlab.graphics import renderSVG

from supervisor.settlement import plot, words
from supervisor.settlement.seal import Sealed, SealError

OPEN, CLOSE = '<script type="application/json" id="sealed">', "</script>"
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#111;background:#fff}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem;"
    "display:block;overflow-x:auto}"
    "th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}"
    "td{font-variant-numeric:tabular-nums}.broken{font-weight:700}svg{width:100%;height:auto}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dd{margin:0;"
    "overflow-wrap:anywhere}"
)


def page(sealed: Sealed) -> str:
    report = sealed.report
    parts = [
        "<!doctype html>",
        '<html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(report.site)}: what was asked and what was drawn</title>",
        f"<style>{STYLE}</style>",
        f"<h1>{escape(report.site)}: what was asked and what was drawn</h1>",
        "<dl>",
        *(f"<dt>{escape(name)}<dd>{escape(text)}" for name, text in words.facts(report)),
        f"<dt>signed by<dd>{escape(sealed.ed25519.key)} (Ed25519)",
        "</dl>",
        _picture(sealed),
        *(_table(*one) for one in words.tables(report)),
        OPEN + _inside(sealed) + CLOSE,
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def sealed_of(text: str) -> bytes:
    """The sealed report inside a page.  Raises SealError."""
    start = text.find(OPEN)
    end = text.find(CLOSE, start)
    if start < 0 or end < 0:
        raise SealError("no sealed report is inside this page")
    return text[start + len(OPEN) : end].replace("\\u003c", "<").encode()


def _inside(sealed: Sealed) -> str:
    """As JSON in which nothing can end the script."""
    return msgspec.json.encode(sealed).decode().replace("<", "\\u003c")


def _picture(sealed: Sealed) -> str:
    svg = renderSVG.drawToString(plot.drawing(sealed.report))
    return str(svg[re.search("<svg", svg).start() :])  # type: ignore[union-attr]


def _table(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return f"<h2>{escape(title)}</h2><p>None."
    head = "".join(f"<th>{escape(one)}" for one in heads)
    body = "".join(
        f"<tr{_class(row)}>" + "".join(f"<td>{escape(cell)}" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _class(row: tuple[str, ...]) -> str:
    return ' class="broken"' if "broken" in row else ""
