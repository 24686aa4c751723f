"""What a Parquet file says of itself, before it is unpacked: how many columns, rows and pages, and how large.

The footer and the head of each page are structures of Thrift's compact protocol
(https://github.com/apache/parquet-format,
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). A decoder trusts the sizes in the
heads of pages, whatever the footer claims, so that these are what is added up here.
"""

from typing import Any

from bayesmyo import limits
from bayesmyo.cohort.zipped import TooLarge

MAGIC = b"PAR1"
NESTED = 12  # structures within structures
BYTE_ARRAY, DELTA_BYTE_ARRAY = 6, 7  # the second encoding may write a long text again and again in a byte each


def look_through(raw: bytes) -> None:
    """Raises TooLarge, and ValueError where it is no Parquet file, or damaged."""
    size = int.from_bytes(raw[-8:-4], "little")
    if len(raw) < 12 or raw[:4] != MAGIC or raw[-4:] != MAGIC or size > len(raw) - 12:
        raise ValueError("is no Parquet file")
    if size > limits.PARQUET_FOOTER:
        raise TooLarge(f"describes itself in more than {limits.PARQUET_FOOTER:,} bytes")
    footer = _Reader(raw, len(raw) - 8 - size, len(raw) - 8).structure()
    schema, groups = _list(footer, 2), _list(footer, 4)
    _columns(schema)
    if len(groups) > limits.PARQUET_GROUPS:
        raise TooLarge(f"holds more than {limits.PARQUET_GROUPS:,} groups of rows")
    rows = max(_whole(footer, 3), sum(_whole(group, 3) for group in groups))
    if rows * max(1, len(schema) - 1) > limits.PARQUET_CELLS:
        raise TooLarge(f"holds more than {limits.PARQUET_CELLS:,} cells")
    pages = inflated = 0
    for group in groups:
        for column in _list(group, 1):
            for size in _pages(raw, _structure(column, 3)):
                pages, inflated = pages + 1, inflated + size
                if pages > limits.PARQUET_PAGES:
                    raise TooLarge(f"holds more than {limits.PARQUET_PAGES:,} pages")
                if inflated > limits.PARQUET_INFLATED:
                    raise TooLarge(f"unpacks to more than {limits.PARQUET_INFLATED:,} bytes")


def _columns(schema: list[Any]) -> None:
    """Not too many columns, nor within each other: elements in order, each with the number of those inside it."""
    if len(schema) - 1 > limits.COLUMNS:
        raise TooLarge(f"holds more than {limits.COLUMNS:,} columns")
    inside: list[int] = []
    for element in schema:
        while inside and inside[-1] == 0:
            inside.pop()
        if inside:
            inside[-1] -= 1
        if (children := _whole(element, 5)) > 0:
            inside.append(children)
        if len(inside) > limits.PARQUET_DEPTH:
            raise TooLarge(f"holds columns within columns, more than {limits.PARQUET_DEPTH} deep")


def _pages(raw: bytes, chunk: dict[int, Any]) -> list[int]:
    """The bytes that each page of a column unpacks to."""
    at = min([start for key in (9, 11) if (start := _whole(chunk, key)) > 0], default=0)
    end = at + (_whole(chunk, 7) if at else 0)
    if not 0 <= at <= end <= len(raw):
        raise ValueError("a column lies outside the file")
    sizes = []
    while at < end:
        reader = _Reader(raw, at, end)
        head = reader.structure()
        size, packed = _whole(head, 2), _whole(head, 3)
        if size < 0 or packed < 0:
            raise ValueError("a page of negative size")
        encodings = {_structure(head, key).get(place) for key, place in ((5, 2), (8, 4))}
        if _whole(chunk, 1) == BYTE_ARRAY and DELTA_BYTE_ARRAY in encodings:
            raise TooLarge("writes its texts as differences (DELTA_BYTE_ARRAY), which may be of any length")
        sizes.append(size)
        if len(sizes) > limits.PARQUET_PAGES:
            break
        at = reader.at + packed
    return sizes


def _whole(structure: Any, key: int) -> int:
    """A whole number of a structure, 0 where it is not stated."""
    return _of(int, _of(dict, structure).get(key, 0))


def _list(structure: Any, key: int) -> list[Any]:
    return _of(list, _of(dict, structure).get(key, []))


def _structure(structure: Any, key: int) -> dict[int, Any]:
    return _of(dict, _of(dict, structure).get(key, {}))


def _of[T](kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"is no {kind.__name__}")
    return value


class _Reader:
    """Structures as field -> value, texts passed over; ValueError where the bytes are none. at: where it is"""

    def __init__(self, raw: bytes, at: int, end: int) -> None:
        self._raw, self.at, self._end = raw, at, end

    def structure(self, depth: int = 0) -> dict[int, Any]:
        if depth > NESTED:
            raise ValueError("structures within structures")
        values: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) != 0:
            kind, step = head & 15, head >> 4
            field = field + step if step else self._signed()
            values[field] = kind == 1 if kind in (1, 2) else self._value(kind, depth + 1)
        return values

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind == 7:
            return self._skip(8)
        if kind == 8:
            return self._skip(self._unsigned())
        if kind in (9, 10):
            return self._values(depth)
        if kind == 12:
            return self.structure(depth)
        raise ValueError(f"a field of kind {kind}")

    def _values(self, depth: int) -> list[Any]:
        if depth > NESTED:
            raise ValueError("lists within lists")
        head = self._byte()
        count, kind = head >> 4, head & 15
        count = self._unsigned() if count == 15 else count
        if count > self._end - self.at:  # each takes a byte or more
            raise ValueError("a list longer than the file")
        return [self._value(kind, depth + 1) for _ in range(count)]

    def _byte(self) -> int:
        if self.at >= self._end:
            raise ValueError("ends too early")
        self.at += 1
        return self._raw[self.at - 1]

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > self._end:
            raise ValueError("ends too early")

    def _unsigned(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value, shift = value | (byte & 127) << shift, shift + 7
            if shift > 63:
                raise ValueError("a number of too many bytes")
        return value | byte << shift

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
