"""Answer every vector of a folder from its inputs alone: `python tests/vectors/run.py FOLDER`.

Reads `FOLDER/*.json`, chooses by each file's `form`, and prints one JSON object `{file name: {case name: answer}}`. Forms and
answers are described in tlog/README.md. A file of an unknown form, or that is no JSON object, gets `{}`; a case that lacks its
inputs is refused.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import rfc8785

from tallybook.errors import TallybookError
from tallybook.ledger.checkpoint import parse_body
from tallybook.ledger.keys import CosignatureSigner, Ed25519Verifier, Verifier, parse_vkey
from tallybook.ledger.note import verify_note
from tallybook.ledger.signed import open_checkpoint, read_checkpoint
from tallybook.ledger.strict import read_base64, write_base64
from tallybook.ledger.tilepath import parse_tile_path
from tallybook.ledger.tiles import check_tiles
from tallybook.ledger.tlogproof import parse_proof
from tallybook.ledger.tree import ProofError, check_consistency, check_inclusion, leaf_hash, root_of
from tallybook.ledger.witness import MemoryState, Witness, parse_request

REFUSED = "refused"
OK = "ok"
MALFORMED = (TallybookError, KeyError, TypeError, ValueError, AttributeError, RecursionError)
LARGEST_EXACT = (1 << 53) - 1
"""RFC 8785 takes a number as a double: no integer above is exact."""
SOME_TIME = 1_700_000_000

Case = Mapping[str, Any]


def raw(text: Any) -> bytes:
    found = read_base64(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("not strict base64")
    return found


def number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not an integer")
    return value


def hashes(texts: Any) -> list[bytes]:
    return [raw(text) for text in (texts or [])]


def inclusion(case: Case) -> str:
    proof = hashes(case["proof"])
    check_inclusion(number(case["leafIdx"]), number(case["treeSize"]), raw(case["leafHash"]), proof, raw(case["root"]))
    return OK


def consistency(case: Case) -> str:
    old, new = number(case["size1"]), number(case["size2"])
    old_root, new_root, proof = raw(case["root1"]), raw(case["root2"]), hashes(case["proof"])
    check_consistency(old, new, old_root, new_root, proof)
    return OK


def inclusion_leaf(case: Case) -> str:
    size, root = number(case["size"]), raw(case["root"])
    if case.get("checkpoint") is not None:
        head, _ = read_checkpoint(case["checkpoint"].encode())
        if (head.size, head.root) != (size, root):
            raise ProofError("the checkpoint is of another tree")
    check_inclusion(number(case["index"]), size, leaf_hash(raw(case["leaf"])), hashes(case["proof"]), root)
    return OK


def root(case: Case) -> str:
    return write_base64(root_of(leaf_hash(one) for one in hashes(case["leaves"])))


def usable(text: str) -> Verifier | None:
    """A key of a kind that is not known here is one more unknown key."""
    try:
        return parse_vkey(text)
    except TallybookError:
        return None


def signed_note(case: Case) -> int:
    keys = [one for one in map(usable, case["vkeys"] or []) if one is not None]
    return len(verify_note(case["note"].encode(), keys).keys)


def vkey(case: Case) -> str:
    parse_vkey(case["vkey"])
    return OK


def checkpoint_body(case: Case) -> str:
    parse_body(case["body"])
    return OK


def tlog_proof(case: Case) -> str:
    parse_proof(case["proof"].encode())
    return OK


def tile_path(case: Case) -> dict[str, int | str]:
    path = parse_tile_path(case["path"])
    return {"level": path.level, "index": path.index, "width": path.width}


def tiles(case: Case) -> str:
    head = open_checkpoint(case["checkpoint"].encode(), [parse_vkey(case["vkey"])]).checkpoint
    check_tiles({path: raw(content) for path, content in (case["tiles"] or {}).items()}, head.size, head.root)
    return OK


def jcs(case: Case) -> str:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    def whole(text: str) -> int | float:
        return int(text) if len(text) < 20 and abs(int(text)) <= LARGEST_EXACT else float(text)

    def never(text: str) -> Any:
        raise ValueError(f"{text} is not JSON")

    value = json.loads(case["input"], object_pairs_hook=once, parse_int=whole, parse_constant=never)
    return rfc8785.dumps(value).decode()


ONE_BY_ONE: dict[str, Callable[[Case], Any]] = {
    "inclusion": inclusion,
    "consistency": consistency,
    "inclusion-leaf": inclusion_leaf,
    "root": root,
    "signed-note": signed_note,
    "vkey": vkey,
    "checkpoint-body": checkpoint_body,
    "tlog-proof": tlog_proof,
    "tile-path": tile_path,
    "tiles": tiles,
    "jcs": jcs,
}


def named(cases: Any) -> list[Case]:
    return [case for case in cases if isinstance(case, dict) and isinstance(case.get("name"), str)]


def answer(ask: Callable[[Case], Any], case: Case) -> Any:
    try:
        return ask(case)
    except MALFORMED:
        return REFUSED


def the_one_log(key: bytes, cases: Sequence[Case]) -> dict[str, list[Verifier]]:
    """Origin and name of the log's key: those that it has most often signed for; failing that, of the first checkpoint."""
    signed: Counter[tuple[str, str]] = Counter()
    first: list[tuple[str, str]] = []
    for case in cases:
        try:
            head, note = read_checkpoint(parse_request(case["body"].encode()).note)
        except MALFORMED:
            continue
        for one in note.signatures:
            verifier = Ed25519Verifier(one.name, key)
            first.append((head.origin, one.name))
            if verifier.key_id == one.key_id and verifier.is_valid(note.text.encode(), one.raw):
                signed[head.origin, one.name] += 1
    most = [pair for pair, _ in signed.most_common(1)] or first[:1]
    return {origin: [Ed25519Verifier(name, key)] for origin, name in most}


def witness(file: Mapping[str, Any]) -> dict[str, Any]:
    cases = named(file["cases"])
    logs = the_one_log(bytes.fromhex(file["log_public_key_hex"]), cases)
    one = Witness(CosignatureSigner("example.com/witness", bytes(32)), logs, MemoryState())

    def ask(case: Case) -> int:
        return one.add_checkpoint(case["body"].encode(), SOME_TIME).status

    return {case["name"]: answer(ask, case) for case in cases}


def answers(file: Any) -> dict[str, Any]:
    try:
        if file["form"] == "witness":
            return witness(file)
        ask = ONE_BY_ONE[file["form"]]
        return {case["name"]: answer(ask, case) for case in named(file["cases"])}
    except MALFORMED:
        return {}


def run(folder: Path) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            out[path.name] = answers(json.loads(path.read_text("utf-8")))
        except (ValueError, RecursionError):
            out[path.name] = {}
    return out


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("run.py: give one folder of vectors: python tests/vectors/run.py FOLDER\n")
        return 2
    sys.stdout.write(json.dumps(run(Path(arguments[0]))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
