"""How HTML of ours looks, on light and dark pages alike: the page's own text colour, and greys that are see-through."""

from __future__ import annotations

__all__ = ["wrap_markup"]

_STYLE = """
div.lancesql{--line:rgba(128,128,128,.35);--soft:rgba(128,128,128,.12);--blue:#3b82c4;--orange:#c4703b;--green:#3a9a5f;
color:inherit;font-size:13px;line-height:1.45;max-width:100%;overflow-x:auto}
div.lancesql table.rows{border-collapse:collapse;border:0;margin:0;table-layout:auto;color:inherit;font-size:inherit;
font-variant-numeric:tabular-nums}
div.lancesql table.rows tr{background:none}
div.lancesql table.rows tbody tr:hover{background:var(--soft)}
div.lancesql table.rows :is(th,td){border:0;border-bottom:1px solid var(--line);padding:.3em .8em;text-align:left;
vertical-align:middle;max-width:34em;white-space:normal;overflow-wrap:break-word}
div.lancesql table.rows thead th{border-bottom-width:2px;vertical-align:bottom;white-space:nowrap;font-weight:600}
div.lancesql table.rows thead small{display:block;font-weight:400;font-family:ui-monospace,monospace;opacity:.7}
div.lancesql table.rows :is(th,td).right{text-align:right;white-space:nowrap;overflow-wrap:normal}
div.lancesql table.rows caption{caption-side:bottom;text-align:left;padding:.5em .8em;color:inherit;opacity:.75}
div.lancesql table.rows td.bar{background:linear-gradient(to right,color-mix(in srgb,var(--blue) 30%,transparent)
var(--part),transparent 0) no-repeat 0/100% min(1.5em,100% - 6px);min-width:7em}
div.lancesql table.rows td.bar.below{background-image:linear-gradient(to right,
color-mix(in srgb,var(--orange) 30%,transparent) var(--part),transparent 0)}
div.lancesql .null{opacity:.7;font-style:italic}
div.lancesql .vector{white-space:nowrap}
div.lancesql .vector svg{vertical-align:middle;margin-right:.6em;display:inline-block}
div.lancesql .vector path{stroke:var(--blue);stroke-width:1.3;fill:none}
div.lancesql .vector line{stroke:currentColor;stroke-width:.5;opacity:.4}
div.lancesql img{max-height:72px;max-width:128px;margin:2px 0;display:block;border-radius:3px}
div.lancesql pre{background:none;color:inherit;line-height:1.3;font-family:ui-monospace,monospace;overflow-x:auto}
div.lancesql pre.error{margin:0;padding:.6em .9em;border-left:3px solid #c93c3c;background:var(--soft);color:inherit;
white-space:pre;font-family:ui-monospace,monospace;overflow-x:auto}
"""


def wrap_markup(body: str, more: str = "") -> str:
    """HTML with the style it needs: a notebook may show this cell alone."""
    style = "".join((_STYLE + more).split("\n"))
    return f'<div class="lancesql"><style>{style}</style>{body}</div>'
