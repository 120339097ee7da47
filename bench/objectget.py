"""Write one object of a bucket to a file: ranges of 8 MB, eight at once, as fast clients of S3 do.

    python bench/objectget.py s3://BUCKET NAME FILE

It takes server and login from the variables that go-prefetch takes them from.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import obstore.store

RANGE = 8 << 20
AT_ONCE = 8


def main() -> None:
    """Get what the arguments name."""
    url, name, file = sys.argv[1:]
    store = obstore.store.from_url(url, client_options={"allow_http": True, "timeout": "900s"})
    size = obstore.head(store, name)["size"]
    descriptor = os.open(Path(file), os.O_WRONLY | os.O_CREAT, 0o600)

    def copy(start: int) -> None:
        content = obstore.get_range(store, name, start=start, end=min(start + RANGE, size))
        os.pwrite(descriptor, content, start)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(copy, range(0, size, RANGE)))
    os.close(descriptor)
    if Path(file).stat().st_size != size:
        sys.exit(f"{file} does not have {size} bytes")


if __name__ == "__main__":
    main()
