"""Zip archives, read with a byte cap and never extracted: a name in an archive only ever tells which table it is.

What a zip says about itself is not believed. The directory at its end is measured before it is read, sizes count as they
are unpacked, and names are refused rather than cleaned, since Python's `zipfile` cleans them silently.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from unicodedata import normalize

from tallybook.evidence.ingest.gather import Gathering
from tallybook.evidence.ingest.told import told

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_ZIP64_MARK = b"PK\x06\x07"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_CHUNK = 65_536
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_AGAIN = "zip the files again with an ordinary zip program"


def unpacked(into: Gathering, file: str, raw: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    """The name and bytes of each file in a zip, one at a time. `most`: how many there may be.

    Raises StopReadingError, with every fault of the names noted, before anything is unpacked.
    """
    archive = _opened(into, file, raw, most)
    members = [info for info in archive.infolist() if not _is_folder(info)]
    before = len(into.faults)
    _check_names(into, file, archive.infolist())
    for info in members:
        _check_member(into, file, info, archive.start_dir)
    if len(into.faults) > before:
        raise into.stop(file, 0, "nothing of it was unpacked", "correct the faults listed for it")
    for info in members:
        yield info.orig_filename, _read(into, file, archive, info)


def _opened(into: Gathering, file: str, raw: bytes, most: int) -> zipfile.ZipFile:
    """The archive, once its directory has been found where it must be and no longer than it may be."""
    at = len(raw) - _END.size
    if at < 0 or raw[at : at + 4] != _END_MARK:
        raise into.stop(file, 0, "a zip that is cut off, or has something after its end", _AGAIN)
    _, disk, start_disk, here, total, size, offset, comment = _END.unpack_from(raw, at)
    if raw[at - 20 : at - 16] == _ZIP64_MARK or total > most or size > most * (46 + 4 * into.limits.name):
        raise into.stop(file, 0, f"over {most:,} files in it", "split it")
    if disk or start_disk or here != total or comment or offset + size != at:
        raise into.stop(file, 0, "a zip in several parts, or with something hidden in it", _AGAIN)
    try:
        return zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise into.stop(file, 0, "a zip that does not read", _AGAIN) from error


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.orig_filename.endswith("/") and info.file_size == 0


def name_fault(name: str, longest: int) -> str:
    """What is wrong with a name in an archive; blank where nothing is."""
    if not name or len(name) > longest:
        return f"over {longest} characters long" if name else "blank"
    if not name.isprintable():
        return "holds characters that do not print"
    if "\\" in name or ":" in name:
        return "holds a backslash or a colon"
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or any(part.strip() in ("", ".", "..") for part in parts):
        return "leads out of the archive, or is no plain path"
    return "" if normalize("NFC", name) == name else "is not in the composed Unicode form (NFC)"


def _check_names(into: Gathering, file: str, infos: Sequence[zipfile.ZipInfo]) -> None:
    seen: dict[str, str] = {}
    for info in infos:
        name = info.orig_filename
        if wrong := name_fault(name, into.limits.name):
            into.fault(file, 0, "", f"the name {told(name)} {wrong}", "zip the files with plain names")
        folded = normalize("NFKC", normalize("NFKC", name).casefold()).removesuffix("/")
        if folded in seen:
            same = "twice" if seen[folded] == name else f"beside {told(seen[folded])}: one name to some machines"
            into.fault(file, 0, "", f"the name {told(name)} is there {same}", "give each file its own name")
        seen[folded] = name


def _check_member(into: Gathering, file: str, info: zipfile.ZipInfo, end: int) -> None:
    name, mode = told(info.orig_filename), info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        into.fault(file, 0, "", f"{name} is a link or a device, not a file", "zip the file itself")
    if info.header_offset + info.compress_size > end:
        into.fault(file, 0, "", f"{name} is said to be larger than the zip that it is in", _AGAIN)
    if info.flag_bits & _ENCRYPTED:
        into.fault(file, 0, "", f"{name} is encrypted", "send it without a password")
    elif info.compress_type not in _PACKED:
        into.fault(file, 0, "", f"{name} is packed in a way that is not read here", _AGAIN)


def _read(into: Gathering, file: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a member: read in pieces, and no further than the limits go."""
    limits, name, out = into.limits, told(info.orig_filename), bytearray()
    try:
        with archive.open(info) as stream:
            while piece := stream.read(_CHUNK):
                out += piece
                into.unpack(file, len(piece))
                if len(out) > limits.bytes:
                    raise into.stop(file, 0, f"{name} unpacks to over {limits.bytes:,} bytes", "split it")
                if len(out) > max(limits.ratio_from, limits.ratio * info.compress_size):
                    what = f"{name} unpacks to over {limits.ratio} times its size: it may be a zip bomb"
                    raise into.stop(file, 0, what, "send the file itself")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise into.stop(file, 0, f"{name} does not unpack: it is damaged", _AGAIN) from error
    if len(out) != info.file_size:
        raise into.stop(file, 0, f"{name} is not as large as the zip says: it is damaged", _AGAIN)
    return bytes(out)
