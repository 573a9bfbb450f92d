"""Where something stands in a JSON file of any size: line and column of a byte, and of a path.

Only asked for what is wrong, so the file is read again then. A path is followed by decoding one level after the other
to the texts of its parts, which is as fast as to decode the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from policy_lang.source import Span, whole_file

UNNAMED = "..."
"""In a path, a key of a dictionary that msgspec does not tell."""
Keys = tuple[str | int, ...]
BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BYTE = re.compile(r"\(byte (\d+)\)")
_AT = re.compile(r" - at `(key in )?(\$[^`]*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\.\.\.)\]")
_SPACE = re.compile(rb"[ \t\n\r]*")
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*+"[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def why_not_text(data: bytes) -> str:
    """What a file is that is no UTF-8, where that can be told from its first bytes; else empty."""
    sparse = data[:2] in _UTF16 or (len(data) > 3 and 0 in data[:2] and data[:4].count(0) == 2)
    return "it is UTF-16, as PowerShell writes with `>`" if sparse else ""


def path_of(error: Exception) -> Keys:
    """The path that a msgspec error ends with."""
    found = _AT.search(str(error))
    if found is None:
        return ()
    steps = _STEP.findall(found[2])
    return tuple(name or (int(index) if index else UNNAMED) for name, index, _ in steps)


def shown_path(keys: Sequence[str | int]) -> str:
    """A path as people write it: ``nodes["model.p.a"].config.tags[0]``."""
    out = ""
    for key in keys:
        if isinstance(key, int) or key == UNNAMED:
            out += f"[{key}]"
        elif re.fullmatch(r"[A-Za-z_]\w*", key):
            out += f".{key}" if out else key
        else:
            out += f'["{key}"]'
    return out


def reason_of(error: Exception) -> str:
    """What msgspec says, without the place that is told apart."""
    said = _BYTE.sub("", _AT.sub("", str(error))).strip().removeprefix("JSON is malformed: ")
    return "it is cut off here" if said == "Input data was truncated" else said


class JsonPlaces:
    """Places in one file, which is read when the first is asked for."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._data: bytes | None = None
        self._known: dict[Keys, tuple[int, int]] = {}
        self._last = (0, 1, 0)
        """An offset that was asked for, its line, and where that line starts."""

    @property
    def data(self) -> bytes:
        """The file's content; empty where it cannot be read any more."""
        if self._data is None:
            try:
                self._data = self.file.read_bytes() if self.file.is_file() else b""
            except OSError:
                self._data = b""
        return self._data

    def of_error(self, error: Exception) -> Span:
        """Where broken JSON breaks: at the byte that the error names, else at the end of the file."""
        if isinstance(error, UnicodeDecodeError):  # it counts within one text of the file
            try:
                self.data.decode("utf-8")
            except UnicodeDecodeError as wrong:
                return self.at(wrong.start, 1)
        found = _BYTE.search(str(error))
        return self.at(int(found[1]) if found is not None else max(len(self.data.rstrip()) - 1, 0))

    def at(self, offset: int, length: int = 0) -> Span:
        """The span of ``length`` bytes of one line."""
        data = self.data
        offset = min(offset, len(data))
        before, line, start = self._last if self._last[0] <= offset else (0, 1, 0)
        line += data.count(b"\n", before, offset)
        start = max(start, data.rfind(b"\n", before, offset) + 1)
        self._last = (offset, line, start)
        head = data[start:offset].removeprefix(BOM) if start == 0 else data[start:offset]
        col = len(head.decode("utf-8", "replace")) + 1
        end = data.find(b"\n", offset, offset + length)
        text = data[offset : end if end >= 0 else offset + length]
        return Span(str(self.file), line, col, line, col + len(text.decode("utf-8", "replace")))

    def of_path(self, keys: Keys) -> Span:
        """What the path leads to, or the nearest part around it that can be found."""
        for count in range(len(keys), 0, -1):
            found = self._range(keys[:count])
            if found is not None:
                start, end = found
                return self.at(start, min(end - start, 80) if self.data[start : start + 1] not in (b"{", b"[") else 1)
        return whole_file(str(self.file))

    def has(self, keys: Keys) -> bool:
        """Whether the path leads to something."""
        return self._range(keys) is not None

    def _range(self, keys: Keys) -> tuple[int, int] | None:
        """Start and end of a value, in bytes."""
        if not keys:
            data = self.data
            start = _after_space(data, len(BOM) if data.startswith(BOM) else 0)
            return start, len(data.rstrip())
        if keys not in self._known:
            outer = self._range(keys[:-1])
            if outer is not None:
                self._known.update({(*keys[:-1], key): (start, end) for key, start, end in self._parts(*outer)})
        return self._known.get(keys)

    def _parts(self, start: int, end: int) -> Iterator[tuple[str | int, int, int]]:
        """The parts of an object or array, up to where the text does not fit (a key that is given twice)."""
        data = self.data
        text = memoryview(data)[start:end]
        try:
            named: list[tuple[str | int, msgspec.Raw]]
            if data[start : start + 1] == b"{":
                named = list(_OBJECT.decode(text).items())
            else:
                named = list(enumerate(_ARRAY.decode(text)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        at = start + 1
        for key, raw in named:
            at = _after_space(data, at)
            if isinstance(key, str):
                found = _KEY.match(data, at)
                if found is None:
                    return
                at = found.end()
            value = bytes(raw)
            if data[at : at + len(value)] != value:
                return
            yield key, at, at + len(value)
            at = _after_space(data, at + len(value)) + 1


def _after_space(data: bytes, at: int) -> int:
    found = _SPACE.match(data, at)
    return found.end() if found is not None else at
