"""What is in a pool under attack: honest modules, and well-formed files with other content for each of theirs."""

from __future__ import annotations

import io
import zipfile

from tests.support.fakes.modules import TIMESTAMP, FakeModule, package_name


def modules() -> list[FakeModule]:
    """A dozen: of many files, large ones, small ones."""
    made = []
    for number in range(12):
        path = f"example.com/{'Group/' if number % 4 == 3 else ''}m{number:02}"
        files: dict[str, str | bytes] = {
            f"{package_name(path)}.go": f'package {package_name(path)}\n\nfunc Hello() string {{ return "{path}" }}\n'
        }
        if number < 2:
            files |= {f"d{n % 20}/f{n}.txt": f"{n}\n" * 20 for n in range(400)}
        made.append(FakeModule(path, "v1.0.0", files=files, padding=1_500_000 if 2 <= number < 5 else 20_000))
    return made


def other_files(module: FakeModule) -> dict[str, bytes]:
    """A module's files, with other code in its Go file."""
    return {
        name: data.replace(b'return "', b'return "not ') if name.endswith(".go") else data
        for name, data in module.contents.items()
    }


def other_content(module: FakeModule, name: str, size: int | None) -> bytes:
    """Well-formed content that is not what go.sum says: of this size, or of another where that is None."""
    if name.endswith(".mod"):
        return module.mod + b"// other\n" if size is None else module.mod.replace(b"1.21", b"1.20")
    if name.endswith(".info"):
        return module.info[:-1] + b',"Origin":{}}' if size is None else module.info.replace(b"v1.0.0", b"v1.0.1")
    files = other_files(module)
    if size is None:
        return _zip(files)
    padding = f"{module.path}@{module.version}/padding.bin"
    return _zip({**files, padding: bytes(size - len(_zip({**files, padding: b""})))})


def _zip(files: dict[str, bytes]) -> bytes:
    """A zip whose size is that of its padding and a constant."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            how = zipfile.ZIP_STORED if name.endswith("padding.bin") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, TIMESTAMP), data, how)
    return target.getvalue()
