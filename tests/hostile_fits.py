"""Stored fits made to do harm, each under a checksum that fits: whoever can write a file can write its hash."""

import hashlib
import io
import json
from pathlib import Path

import h5py
import numpy as np

from bayesmyo.inference.fit import Fit
from bayesmyo.inference.store import CONTENTS, CONTENTS_LENGTH, TRAILER, TRAILER_LENGTH, packed

SECRET = b"root:x:0:0:a secret that is in another file:/root"


def sealed(content: bytes) -> bytes:
    """Bytes with the trailer that a fit would have: only what is inside can be wrong."""
    return content + TRAILER + hashlib.sha256(content).hexdigest().encode() + b"\n"


def stored(tree, path: Path) -> Path:
    """A tree as a fit holds it, whatever its numbers are."""
    path.write_bytes(sealed(b"".join(packed(Fit(tree)))))
    return path


def unpacked(raw: bytes) -> tuple[bytes, dict]:
    """The netCDF of a stored fit, and its table of contents."""
    content = raw[:-TRAILER_LENGTH]
    length = int(content[-12:])
    end = len(content) - CONTENTS_LENGTH
    return content[: end - length - 1], json.loads(content[end - length : end])


def repacked(netcdf: bytes, document: bytes, claimed: int | None = None) -> bytes:
    """A stored fit with another netCDF or table of contents, which may claim another length than it has."""
    length = len(document) if claimed is None else claimed
    return sealed(netcdf + b"\n" + document + CONTENTS + b"%012d" % length)


def edited(raw: bytes, edit) -> bytes:
    """A stored fit whose table of contents was changed by `edit`, in place or as what it returns."""
    netcdf, contents = unpacked(raw)
    changed = edit(contents)
    return repacked(netcdf, json.dumps(contents if changed is None else changed).encode())


# --- tables of contents that lie: name -> edit of the document, or the bytes in its place


def _region(group, name, **changes):
    return lambda doc: doc["arrays"][group][name].update(changes)


def _attribute(name, value):
    return lambda doc: doc["attributes"].update({name: value})


def _without(*keys):
    def edit(doc):
        for key in keys[:-1]:
            doc = doc[key]
        del doc[keys[-1]]

    return edit


def _planted(group, name, like="posterior/cpk.start"):
    def edit(doc):
        there, named = like.split("/")
        doc["arrays"].setdefault(group, {})[name] = dict(doc["arrays"][there][named])

    return edit


def _many(doc):
    for i in range(20_000):
        doc["arrays"][f"g{i}"] = {}


def _long_study(doc):
    doc["attributes"]["study"] += "#" * 1_000_001


def _swapped(doc):
    posterior = doc["arrays"]["posterior"]
    posterior["cpk.start"]["offset"] = posterior["cpk.sigma"]["offset"]


def _of_patient(doc):
    doc["patients"] = ["A"] * len(doc["patients"])


def _one_more(doc):
    doc["patients"].append("one more")


def _rows_of_others(doc):
    doc["attributes"]["rows"] = doc["attributes"]["rows"].replace('"cpk":', '"else":')


def _pretends_to_be_shared(doc):
    doc["attributes"]["bayesmyo_shared"] = "{}"


CONTENTS_THAT_LIE = {
    "beyond its end": _region("posterior", "cpk.start", offset=2**40),
    "just beyond its end": _region("constant_data", "steroid.line", offset=1_000_000_000),
    "before its beginning": _region("posterior", "cpk.start", offset=-8),
    "over another": _swapped,
    "an offset that is no number": _region("posterior", "cpk.start", offset="0"),
    "an offset of a fraction": _region("posterior", "cpk.start", offset=8.5),
    "an offset that is true": _region("posterior", "cpk.start", offset=True),
    "an offset of many digits": _region("posterior", "cpk.start", offset=10**300),
    "a shape of 2^60": _region("posterior", "cpk.start", shape=[2**30, 2**30]),
    "a shape of 2^47": _region("posterior", "cpk.start", shape=[2**47, 2**47]),
    "a shape of nothing": _region("posterior", "cpk.start", shape=[0, 200]),
    "a shape below nothing": _region("posterior", "cpk.start", shape=[-2, -200]),
    "a scalar": _region("posterior", "cpk.start", shape=[]),
    "too many axes": _region("posterior", "cpk.start", shape=[2, 200, 1]),
    "a thousand axes": _region("posterior", "cpk.start", shape=[1] * 1000),
    "more draws than others": _region("posterior", "cpk.start", shape=[2, 100]),
    "more visits than others": _region("constant_data", "cpk.time", shape=[3]),
    "an object": _region("posterior", "cpk.start", dtype="|O"),
    "an object of Python": _region("posterior", "cpk.start", dtype="O"),
    "a compound": _region("posterior", "cpk.start", dtype="<f8,<f8"),
    "a type of long name": _region("posterior", "cpk.start", dtype="f" * 100_000),
    "a complex number": _region("posterior", "cpk.start", dtype="<c16"),
    "single for double": _region("posterior", "cpk.start", dtype="<f4"),
    "the other end first": _region("posterior", "cpk.start", dtype=">f8"),
    "texts": _region("posterior", "cpk.start", dtype="<U9"),
    "a field more": _region("posterior", "cpk.start", filename="/etc/passwd"),
    "an array more": _planted("posterior", "evil"),
    "an array that climbs": _planted("posterior", "../../etc/passwd"),
    "an array with NUL": _planted("posterior", "cpk.start\0"),
    "a group more": _planted("evil", "cpk.start"),
    "a group that climbs": _planted("..", "cpk.start"),
    "estimands of a fit with patients": _planted("estimands", "cpk_ratio_12"),
    "many groups": _many,
    "no parameter": _without("arrays", "posterior", "cpk.start"),
    "no effects": _without("arrays", "posterior", "cpk.effect_start"),
    "no measurements": _without("arrays", "observed_data"),
    "no draws": _without("arrays", "posterior"),
    "no arrays": _without("arrays"),
    "no patients": lambda doc: doc.update(patients=[]),
    "patients of one id": _of_patient,
    "a patient more": _one_more,
    "patients that are numbers": lambda doc: doc.update(patients=list(range(23))),
    "no format": _without("bayesmyo_format"),
    "a format that is a text": lambda doc: doc.update(bayesmyo_format="3"),
    "a format below zero": lambda doc: doc.update(bayesmyo_format=-3),
    "a newer format": lambda doc: doc.update(bayesmyo_format=4_000),
    "a word more": lambda doc: doc.update(evil=1),
    "an attribute more": _attribute("evil", "x"),
    "an attribute that is a table": _attribute("study", {"a": 1}),
    "a study that is none": _attribute("study", "[study"),
    "an empty study": _attribute("study", ""),
    "a study with NUL": _attribute("study", "\0" * 1000),
    "a study that is too long": _long_study,
    "a study that nests": _attribute("study", "a=" + "[" * 200_000),
    "no study": _without("attributes", "study"),
    "rows that are none": _attribute("rows", "[]"),
    "rows that nest": _attribute("rows", "[" * 200_000),
    "rows of other outcomes": _rows_of_others,
    "notices that are none": _attribute("notices", '{"a": 1}'),
    "exits that are none": _attribute("exits", "[]"),
    "exits of others": _attribute("exits", '{"time": [1.0], "stated": [true], "reason": [""]}'),
    "exits at no time": _attribute("exits", '{"time": [NaN], "stated": [true], "reason": [""]}'),
    "versions that are a number": _attribute("versions", "3"),
    "sampling without draws": _attribute("sampling", "{}"),
    "sampling in words": _attribute("sampling", '{"draws": "many"}'),
    "a seed that is none": _attribute("seed", "-1"),
    "a seed of many digits": _attribute("seed", "9" * 100_000),
    "an engine that drives a terminal": _attribute("engine", "\x1b[31mnuts"),
    "a hash that is none": _attribute("study_sha256", "x"),
    "a fit that says it is shared": _pretends_to_be_shared,
    "a list": lambda doc: [doc],
    "a number": lambda doc: 3,
}
DOCUMENTS_THAT_ARE_NONE = {
    "nothing": b"",
    "no JSON": b"\xff\xfe{",
    "deep lists": b"[" * 900_000,
    "deep tables": b'{"a":' * 150_000,
    "a long number": b'{"bayesmyo_format": ' + b"1" * 900_000 + b"}",
    "a long text": b'{"bayesmyo_format": "' + b"x" * 900_000 + b'"}',
    "a name twice": b'{"bayesmyo_format": 3, "bayesmyo_format": 3}',
    "infinity": b'{"bayesmyo_format": Infinity}',
    "a text that never ends": b'{"bayesmyo_format": "3',
}


# --- HDF5 that does harm to whoever walks through it: name -> what is done to an open file


def _external(file, secret):
    file.create_dataset("posterior/evil", (1, len(SECRET)), "u1", external=[(str(secret), 0, len(SECRET))])


def _external_in_place(file, secret):
    del file["posterior/cpk.start"]
    file.create_dataset("posterior/cpk.start", (2, 3), "f8", external=[(str(secret), 0, 48)])


def _virtual(file, secret):
    layout = h5py.VirtualLayout((2**40,), "f8")
    layout[:1000] = h5py.VirtualSource(str(secret), "x", (1000,))
    file.create_virtual_dataset("posterior/evil", layout)


def _shared_heap(file, _):
    texts = file.create_dataset("posterior/evil", (20_000,), h5py.string_dtype())
    texts[:] = "x" * 10


def _references(file, _):
    file.create_dataset("posterior/evil", data=np.array([file["posterior"].ref] * 9, h5py.ref_dtype))
    file["posterior"].attrs["evil"] = file["posterior"].ref


def _loop_of_scales(file, _):
    for name in ("a", "b"):
        file.create_dataset(f"posterior/{name}", data=np.zeros(3)).make_scale(name)
    file["posterior/a"].attrs.create("DIMENSION_LIST", [file["posterior/b"].ref], dtype=h5py.ref_dtype)
    file["posterior/b"].attrs.create("DIMENSION_LIST", [file["posterior/a"].ref], dtype=h5py.ref_dtype)


def _deep(file, _):
    group = file
    for _ in range(2_000):
        group = group.create_group("g")


def _many_groups(file, _):
    for i in range(3_000):
        file.create_group(f"posterior/g{i}")


def _huge_attribute(file, _):
    file.attrs["evil"] = "x" * 60_000


def _set(path, **options):
    return lambda file, _: file.create_dataset(path, **options)


def _linked(path, link):
    def do(file, secret):
        file[path] = link(file, secret)

    return do


HDF5_THAT_HARMS = {
    "external storage": _external,
    "external storage of a parameter": _external_in_place,
    "a virtual dataset": _virtual,
    "a soft link": _linked("posterior/evil", lambda f, s: h5py.SoftLink("/posterior/cpk.start")),
    "a soft link to itself": _linked("posterior/evil", lambda f, s: h5py.SoftLink("/posterior/evil")),
    "an external link": _linked("posterior/evil", lambda f, s: h5py.ExternalLink(str(s), "/")),
    "a hard link": _linked("posterior/evil", lambda f, s: f["posterior/cpk.start"]),
    "a group in itself": _linked("posterior/evil", lambda f, s: f["/"]),
    "a group of groups": _deep,
    "many groups": _many_groups,
    "a shape of nothing stored": _set("posterior/evil", shape=(2**40, 10), chunks=(1024, 10), dtype="f8"),
    "a huge chunk": _set("posterior/evil", shape=(2**28,), chunks=(2**28,), dtype="f8"),
    "a fill value": _set("posterior/evil", shape=(2**20, 2**20), fillvalue=7.0, chunks=(64, 64), dtype="f8"),
    "zeros compressed": _set("posterior/evil", data=np.zeros(500_000), compression="gzip", compression_opts=9),
    "a filter": _set("posterior/evil", data=np.arange(9), scaleoffset=0, chunks=(9,)),
    "texts of any length": _shared_heap,
    "a compound": _set("posterior/evil", data=np.zeros(3, [("a", "f8"), ("b", "S9")])),
    "opaque bytes": _set("posterior/evil", data=np.array([b"abc"], dtype="V3")),
    "an enumeration": _set("posterior/evil", shape=(3,), dtype=h5py.enum_dtype({"a": 1}, "i1")),
    "references": _references,
    "scales that loop": _loop_of_scales,
    "a huge attribute": _huge_attribute,
    "a name that climbs": _set("posterior/..", data=1.0),
    "an empty dataspace": _set("posterior/evil", data=h5py.Empty("f8")),
}


def harmful(raw: bytes, name: str, secret: Path) -> tuple[bytes, bytes]:
    """A stored fit into whose HDF5 harm was put: with its old trailer alone, and with the honest table of contents
    behind it.
    """
    netcdf, contents = unpacked(raw)
    out = io.BytesIO(netcdf)
    with h5py.File(out, "r+") as file:
        HDF5_THAT_HARMS[name](file, secret)
    changed = out.getvalue()
    return sealed(changed), repacked(changed, json.dumps(contents).encode())


def bent(raw: bytes) -> dict[str, bytes]:
    """The first bytes of the HDF5, which say where everything is, changed; and files that are only a beginning."""
    netcdf, contents = unpacked(raw)
    document = json.dumps(contents).encode()
    found = {
        f"byte {i} is {value}": netcdf[:i] + bytes([value]) + netcdf[i + 1 :]
        for i in range(8, 96, 8)
        for value in (0, 255)
    }
    bent_files = {f"superblock: {k}": repacked(v, document) for k, v in found.items()}
    return bent_files | {
        "a user block": repacked(netcdf[:8] + b"\0" * 504 + netcdf, document),
        "the magic alone": sealed(netcdf[:8]),
        "the magic and contents": repacked(netcdf[:8], document),
        "a length beyond the file": repacked(netcdf, document, claimed=999_999_999_999),
        "a length of nothing": repacked(netcdf, document, claimed=0),
        "a length too short": repacked(netcdf, document, claimed=len(document) - 5),
    }
