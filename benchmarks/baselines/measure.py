"""One measurement in a process of its own, on one processor: `python -m benchmarks.baselines.measure METHOD PROBLEM SIZE`.

Prints the rows as JSON. A method that is not installed prints one row that says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import warnings
from dataclasses import asdict

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
PROBLEMS = {
    "A": "closed",
    "B": "open_known",
    "B.u": "open_unknown",
    "C": "account",
    "C.u": "account_unknown",
    "scale": "scale",
    "example": "example",
}
METHODS = {"ours": "ours", "NumPyro": "numpyro_nuts", "PyMC": "pymc_nuts", "truncated": "truncated", "particle": "particle"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("problem", choices=PROBLEMS)
    parser.add_argument("size", help="small, medium, large; of `scale` items, days or stages")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # flags alone leave XLA a second thread
    warnings.simplefilter("ignore")
    module = importlib.import_module(f"benchmarks.baselines.{METHODS[options.method]}")
    work = getattr(module, PROBLEMS[options.problem], None)
    if work is None:
        print(json.dumps([]))
        return
    print(json.dumps([asdict(row) for row in work(options.size, options.quick)]))


if __name__ == "__main__":
    main()
