"""Bytes that are an image as a thumbnail; what they are is read from their first bytes."""

from __future__ import annotations

import base64
import html
import io
import struct

__all__ = ["ImageBudget", "describe_bytes"]

_EMBEDDED = 24 * 2**10
"""Bytes: an image of no more is embedded as it is."""
_LARGEST = 256 * 2**10
"""Bytes: one of more is embedded as a thumbnail, or not at all."""
_TOTAL = 3 * 2**20
_PIXELS = 50_000_000
"""A browser, and Pillow, need memory for every pixel, however few bytes they were pressed into."""
_BOX = (256, 144)
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class ImageBudget:
    """The thumbnails of one page: together they must not make it too large to be opened or kept."""

    def __init__(self) -> None:
        self._left = _TOTAL

    def draw(self, data: bytes) -> str | None:
        """The image as HTML; words where it is too large to be shown; None when the bytes are no image."""
        kind = _read_kind(data)
        if kind is None:
            return None
        size = _read_size(kind, data)
        label = f"{kind.upper()} image{f', {size[0]:,} × {size[1]:,}' if size else ''}, {describe_bytes(len(data))}"
        if size is None or not 0 < size[0] * size[1] <= _PIXELS:
            return html.escape(label)
        if len(data) > _EMBEDDED:
            small = _shrink(data)
            if small is not None:
                kind, data = "png", small
        if len(data) > min(_LARGEST, self._left):
            return html.escape(label)
        self._left -= len(data)
        text = base64.b64encode(data).decode()
        return f'<img alt="{html.escape(label)}" title="{html.escape(label)}" src="data:image/{kind};base64,{text}">'


def describe_bytes(count: int) -> str:
    """A number of bytes as people say it.

    Example:
        >>> describe_bytes(999), describe_bytes(12_345), describe_bytes(7_000_000)
        ('999 bytes', '12.3 kB', '7.0 MB')
    """
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


def _read_kind(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _read_size(kind: str, data: bytes) -> tuple[int, int] | None:
    """Width and height as the image says; None when it is cut off before it says so."""
    try:
        match kind:
            case "png":
                return struct.unpack(">II", data[16:24]) if data[12:16] == b"IHDR" else None
            case "gif":
                return struct.unpack("<HH", data[6:10])
            case "jpeg":
                return _read_jpeg_size(data)
        match data[12:16]:
            case b"VP8X":
                return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
            case b"VP8L":
                (bits,) = struct.unpack("<I", data[21:25])
                return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
            case b"VP8 ":
                width, height = struct.unpack("<HH", data[26:30])
                return width & 0x3FFF, height & 0x3FFF
    except (struct.error, IndexError):
        pass
    return None


def _read_jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _START_OF_FRAME:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            (length,) = struct.unpack(">H", data[at + 2 : at + 4])
            at += 2 + length
    return None


def _shrink(data: bytes) -> bytes | None:
    """A thumbnail as PNG; None without Pillow, and when it cannot read the image."""
    try:
        from PIL import Image
    except ImportError:
        return None
    small = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.thumbnail(_BOX)
            image.convert("RGBA" if image.mode in ("RGBA", "LA", "P", "PA") else "RGB").save(small, "PNG")
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError):
        return None
    return small.getvalue()
