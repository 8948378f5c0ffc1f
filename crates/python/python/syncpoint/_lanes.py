"""The lanes of a run as a picture for notebooks: a row for each stream, a bar for each step, on one scale of time."""

from __future__ import annotations

from html import escape
from typing import Any

_WIDTH, _ROW, _LEFT, _TOP = 900, 28, 170, 26
_COLOURS = {"complete": "#3b7dd8", "failed": "#c9372c", "skipped": "#9aa0a6"}
_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns"))


def _time(nanoseconds: float) -> str:
    size, unit = next((unit for unit in _UNITS if nanoseconds >= unit[0]), _UNITS[-1])
    return f"{nanoseconds / size:.3g} {unit}"


def _bar(step: dict[str, Any], row: int, scale: float) -> str:
    start, end = step["start_ns"], step["end_ns"]
    left, width = _LEFT + start * scale, max((end - start) * scale, 1.0)
    top, name = _TOP + row * _ROW, escape(step["name"])
    told = escape(f"{step['name']}: {step['work']}, {step['state']}, {_time(end - start)} from {_time(start)}")
    label = f'<text x="{left + 4:.1f}" y="{top + 17}" fill="#fff">{name}</text>' if width > 8 * len(step["name"]) else ""
    colour = _COLOURS.get(step["state"], "#7a5fb5")
    rectangle = f'<rect x="{left:.1f}" y="{top + 3}" width="{width:.1f}" height="{_ROW - 6}" rx="3" fill="{colour}"/>'
    return f"<g><title>{told}</title>{rectangle}{label}</g>"


def _row(stream: dict[str, Any], row: int) -> str:
    top = _TOP + row * _ROW
    name = escape(f"{stream['name']} ({stream['device']})")
    line = f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{top + _ROW}" y2="{top + _ROW}" stroke="#8884"/>'
    return f'<text x="4" y="{top + 17}" fill="currentColor">{name}</text>{line}'


def _mark(part: int, whole: float, scale: float) -> str:
    at = whole * part / 4
    left, anchor = _LEFT + at * scale, "end" if part == 4 else "middle"
    return f'<text x="{left:.1f}" y="16" fill="currentColor" text-anchor="{anchor}">{_time(at)}</text>'


def picture(report: dict[str, Any]) -> str:
    """The picture of a report, as HTML that needs nothing else."""
    rows = {stream["name"]: row for row, stream in enumerate(report["streams"])}
    whole = max(report["wall_ns"], 1)
    scale = _WIDTH / whole
    ran = [step for step in report["steps"] if step["start_ns"] is not None and step["end_ns"] is not None]
    parts = [_mark(part, whole, scale) for part in range(5)]
    parts += [_row(stream, row) for row, stream in enumerate(report["streams"])]
    parts += [_bar(step, rows[step["stream"]], scale) for step in ran]
    size = f'viewBox="0 0 {_LEFT + _WIDTH + 10} {_TOP + len(rows) * _ROW + 6}"'
    style = "width:100%;max-width:1080px;font:12px sans-serif"
    title = escape(f"{report['pipeline']}: {report['verdict']} in {_time(report['wall_ns'])}")
    return f'<figure><figcaption>{title}</figcaption><svg {size} style="{style}" role="img">{"".join(parts)}</svg></figure>'
