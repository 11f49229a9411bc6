"""Writes trees of test files, or checks that the committed ones still are what would be written.

Everything here is deterministic: gzip, zip and tar carry no times, and nothing depends on the
machine. Compressed bytes may differ between versions of zlib, so a check compares what comes out
of a compressed file when its stored bytes differ.
"""

import gzip
import io
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path


def gz(data: bytes, level: int = 9) -> bytes:
    """One gzip member without a time or a name in its header."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=level, mtime=0) as f:
        f.write(data)
    return out.getvalue()


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    """A zip of `members`, in order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for name, data in members:
            info = zipfile.ZipInfo(name, date_time=(2024, 5, 15, 12, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            z.writestr(info, data)
    return out.getvalue()


def tarred(members: list[tuple[str, bytes]]) -> bytes:
    """A tar of `members`, in order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o644, 1715774400
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _opened(data: bytes) -> object:
    """What is inside, for comparing files whose stored bytes differ."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            return [(i.filename, _opened(z.read(i))) for i in z.infolist()]
    if data.startswith(b"\x1f\x8b"):
        out, rest = b"", data
        while rest.startswith(b"\x1f\x8b"):
            d = zlib.decompressobj(wbits=31)
            try:
                out += d.decompress(rest)
            except zlib.error:
                return ("damaged", out)
            if not d.eof:
                return ("truncated", out)
            rest = d.unused_data
        return ("gzip", out, rest)
    return data


def write_or_check(root: Path, tree: dict[str, bytes], check: bool) -> int:
    """Makes the files below `root` exactly `tree`, or with `check` only says what differs."""
    present = {str(p.relative_to(root)): p for p in root.rglob("*") if p.is_file()}
    faults = []
    for name, data in tree.items():
        path = root / name
        if check:
            if name not in present:
                faults.append(f"missing: {path}")
            elif (old := present[name].read_bytes()) != data and _opened(old) != _opened(data):
                faults.append(f"differs: {path}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            if name not in present or present[name].read_bytes() != data:
                path.write_bytes(data)
    for name, path in present.items():
        if name not in tree:
            if check:
                faults.append(f"not made by the script: {path}")
            else:
                path.unlink()
    for fault in faults:
        print(fault, file=sys.stderr)
    total = sum(map(len, tree.values()))
    print(f"{root.name}: {len(tree)} files, {total} bytes{', checked' if check else ''}")
    return 1 if faults else 0
