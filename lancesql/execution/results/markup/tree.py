"""A plan as a tree: what DuckDB runs, over what Lance answers, and who evaluates each condition."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .style import wrap_markup

__all__ = ["render_plan", "render_text"]

_STYLE = """
div.lancesql ul.plan,div.lancesql ul.plan ul{list-style:none;margin:0;padding:0}
div.lancesql ul.plan ul{padding-left:1.6em}
div.lancesql ul.plan li.node{position:relative;margin:0;padding:.35em 0}
div.lancesql ul.plan ul>li.node::before{content:"";position:absolute;left:-.9em;top:-.35em;bottom:0;
border-left:1.5px solid var(--line)}
div.lancesql ul.plan ul>li.node:last-child::before{bottom:auto;height:1.75em}
div.lancesql ul.plan ul>li.node::after{content:"";position:absolute;left:-.9em;top:1.4em;width:.9em;
border-top:1.5px solid var(--line)}
div.lancesql .card{border:1px solid var(--line);border-left:4px solid var(--line);border-radius:5px;padding:.45em .8em;
max-width:62em;box-sizing:border-box}
div.lancesql .card.lance{border-left-color:var(--green)}
div.lancesql .card.duckdb{border-left-color:var(--orange)}
div.lancesql .card.command{border-left-color:var(--blue)}
div.lancesql .card p{margin:.15em 0}
div.lancesql .card small{opacity:.75;font-size:.92em}
div.lancesql .card pre{margin:.3em 0 0;padding:0;border:0;background:none;color:inherit;
font-family:ui-monospace,monospace;font-size:.92em;line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere}
div.lancesql .card code{background:none;color:inherit;font-family:ui-monospace,monospace;font-size:.95em;padding:0}
div.lancesql .card mark{background:var(--soft);color:inherit;border-radius:3px;padding:0 .25em}
div.lancesql .card dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em .9em;margin:.25em 0 0}
div.lancesql .card dt{opacity:.75;white-space:nowrap;font-weight:400;margin:0;padding:0}
div.lancesql .card dd{margin:0;padding:0;overflow-wrap:anywhere}
div.lancesql .tag{display:inline-block;border:1px solid currentColor;border-radius:3px;padding:0 .4em;font-size:.85em;
margin-right:.5em;white-space:nowrap}
div.lancesql .tag.lance{color:var(--green)}
div.lancesql .tag.duckdb{color:var(--orange)}
div.lancesql .tag.known{color:var(--blue)}
div.lancesql .head{display:flex;justify-content:space-between;gap:1em}
div.lancesql .cost{font-variant-numeric:tabular-nums;white-space:nowrap}
"""
_KINDS = {
    "TableScan": "scan",
    "RowCount": "count of rows",
    "VectorSearch": "vector search",
    "FullTextSearch": "text search",
    "FusedSearch": "hybrid search",
    "RerankedSearch": "reranked search",
}


def render_plan(plan: Mapping[str, Any]) -> str:
    """Draws the plan that EXPLAIN (FORMAT JSON) writes.

    Args:
        plan: The object, as docs/sql-reference.md describes its keys.
    """
    names = {source["name"]: source["alias"] for source in plan["sources"]}
    leaves = "".join(_draw_node(_draw_source(source)) for source in plan["sources"])
    tree = ""
    if plan["engine"] is not None:
        tree = _draw_node(_draw_relation(plan, names), leaves)
    elif plan["sources"]:
        tree = _draw_node(_draw_direct(plan), leaves)
    if plan["command"] is not None:
        tree = _draw_node(_draw_command(plan["command"]), tree)
    return wrap_markup(f'<ul class="plan">{tree}</ul>', _STYLE)


def render_text(text: str) -> str:
    """A plan that is nothing but a text."""
    return wrap_markup(f"<pre>{html.escape(text, quote=False)}</pre>")


def _draw_node(card: str, below: str = "") -> str:
    return f'<li class="node">{card}{f"<ul>{below}</ul>" if below else ""}</li>'


def _draw_card(kind: str, title: str, plan: Mapping[str, Any], body: str) -> str:
    cost = ""
    if plan.get("milliseconds") is not None:
        count = plan.get("rows")
        rows = "" if count is None else f"{count:,} row{'' if count == 1 else 's'} · "
        cost = f'<span class="cost">{rows}{plan["milliseconds"]:,.1f} ms</span>'
    return f'<div class="card {kind}"><p class="head"><span>{title}</span>{cost}</p>{body}</div>'


def _draw_relation(plan: Mapping[str, Any], names: Mapping[str, str]) -> str:
    text = html.escape(plan["relation"], quote=False)
    for name, alias in names.items():
        shown = f'<mark title="{html.escape(name)}">{html.escape(alias, quote=False)}</mark>'
        text = text.replace(f'"{html.escape(name, quote=False)}"', shown)
    values = [f"{one['name']} = {one['sql']}" for one in plan["values"]]
    return _draw_card(
        "duckdb", "<b>DuckDB</b> runs", plan, f"<pre>{text}</pre>{_draw_lines([*values, *plan['functions']])}"
    )


def _draw_direct(plan: Mapping[str, Any]) -> str:
    bounds = [f"{label} {plan[label]}" for label in ("limit", "offset") if plan.get(label) is not None]
    output = ", ".join(
        one["name"] if one["name"] == one["column"] else f"{one['column']} AS {one['name']}" for one in plan["output"]
    )
    return _draw_card("lance", "<b>Lance alone</b>, without DuckDB", plan, _draw_lines([output, *bounds]))


def _draw_command(command: Mapping[str, Any]) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", command["kind"]).lower()
    title = f"<b>{html.escape(words)}</b> {html.escape(command['target'] or '')}"
    return _draw_card("command", title, {}, _draw_lines([*command["touches"], *command["embeds"]]))


def _draw_source(source: Mapping[str, Any]) -> str:
    kind = _KINDS.get(source["kind"], source["kind"])
    alias = "" if source["alias"] == source["table"] else f" as {source['alias']}"
    title = f"<b>{html.escape(kind)}</b> {html.escape(source['table'])} "
    title += f"<small>version {source['version']}{html.escape(alias)}</small>"
    rows = [_draw_pair(label, html.escape(text)) for label, text in source["properties"].items()]
    rows += [_draw_strategy(one) for one in source["strategy"]]
    rows += [_draw_pair("known", _tag("known", "known") + _say(one["condition"], one["by"])) for one in source["known"]]
    rows += [_draw_condition("lance", "Lance", one, one["filter"]) for one in source["pushed"]]
    rows += [_draw_condition("duckdb", _name_place(one), one, one["reason"]) for one in source["left"]]
    rows += [_draw_pair("keys", html.escape(line)) for line in source["keys"]]
    rows += [_draw_pair("recall", html.escape(line)) for line in source["recall"]]
    rows += [_draw_pair("note", html.escape(line)) for line in source["notes"]]
    rows.append(_draw_pair("columns", html.escape(", ".join(source["columns"]) or "none")))
    return _draw_card("lance", title, source, f"<dl>{''.join(rows)}</dl>")


def _draw_strategy(strategy: Mapping[str, Any]) -> str:
    word = strategy["index"] or strategy["kind"]
    text = html.escape(strategy["reason"])
    return _draw_pair(html.escape(strategy["part"] or "strategy"), _tag("lance", html.escape(word)) + text)


def _draw_condition(kind: str, place: str, conjunct: Mapping[str, Any], text: str) -> str:
    each = ", for each row" if conjunct["for_each_row"] else ""
    shown = "" if text.replace("`", "") == conjunct["condition"] else text
    return _draw_pair("filter", _tag(kind, f"{place}{each}") + _say(conjunct["condition"], shown))


def _name_place(conjunct: Mapping[str, Any]) -> str:
    return "DuckDB, as row ids" if conjunct["as_row_ids"] else "DuckDB"


def _say(condition: str, more: str) -> str:
    after = f" <small>{html.escape(more)}</small>" if more else ""
    return f"<code>{html.escape(condition)}</code>{after}"


def _tag(kind: str, word: str) -> str:
    return f'<span class="tag {kind}">{word}</span>'


def _draw_pair(label: str, body: str) -> str:
    return f"<dt>{label}</dt><dd>{body}</dd>"


def _draw_lines(lines: Iterable[str]) -> str:
    return "".join(f"<p><small>{html.escape(line)}</small></p>" for line in lines if line)
