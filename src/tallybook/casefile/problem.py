"""A problem stated by itself, in a JSON file."""

from __future__ import annotations

import json
from pathlib import Path

from tallybook.holdings.model import ModelError

LARGEST = 50_000_000


def read_problem_file(path: Path) -> object:
    """The decoded JSON. Raises ModelError that says where it could not be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise ModelError(f"larger than {LARGEST:,} bytes", where=str(path), do="state a smaller problem")
        return json.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise ModelError(fault.strerror or "cannot be read", where=str(path), do="give the path of a case") from None
    except UnicodeDecodeError:
        raise ModelError("not UTF-8 text", where=str(path), do="write the case as UTF-8") from None
    except json.JSONDecodeError as fault:
        raise ModelError(f"not JSON: {fault.msg}", where=f"{path}:{fault.lineno}", do="mend the line") from None
    except (RecursionError, ValueError):
        raise ModelError("not a case: nested or long beyond reading", where=str(path), do="write it as the README says") from None
