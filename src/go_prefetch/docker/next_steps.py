"""What to do with a filled folder: the lines that `docker --output` prints at the end."""

from __future__ import annotations

import shlex

from go_prefetch.docker.template import LOGIN, MOUNT, download_command, proxy_argument


def next_steps(output: str, *, listed: bool, lacks_private: bool, exposed: bool) -> str:
    """Return short lines: the commands, and the instructions of a Dockerfile.

    `listed` means that the folder has a list of modules, `lacks_private` that private modules are not in it, `exposed`
    that the build context has it too.
    """
    folder = shlex.quote(output)
    build = f"docker build --build-context gomod={folder}"
    mounts = f"{MOUNT} \\\n      {LOGIN} \\\n     " if lacks_private else MOUNT
    arguments = ["ARG GONOPROXY=none", proxy_argument("direct")] if lacks_private else [proxy_argument("off")]
    lines = ["Build with the folder:", f"  {build} ."]
    if lacks_private:
        lines = [
            "The folder lacks private modules. Log in, and fill it again:",
            "  go-prefetch run",
            f"  go-prefetch docker --output {folder}",
            "Or let the image build log in:",
            f"  {build} --secret id=netrc,src=$HOME/.netrc .",
        ]
    lines += [
        "In the Dockerfile, below the COPY of go.mod and go.sum:",
        *(f"  {argument}" for argument in arguments),
        f"  RUN {mounts} {download_command(listed=listed)}",
    ]
    if listed:
        lines.append(f"The RUN of the build needs {'these mounts' if lacks_private else 'this mount'} too.")
    if exposed:
        lines += [
            "Keep the folder out of the build context, or it is sent twice:",
            "  go-prefetch docker --dockerignore",
        ]
    return "\n".join([
        *lines,
        "A whole Dockerfile:",
        "  go-prefetch docker --dockerfile",
        "  go-prefetch docker --dockerfile plain    # without BuildKit",
    ])  # fmt: skip
