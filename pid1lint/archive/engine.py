"""Images out of an engine's store, by its own `save`: only where the user has named the engine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from typing import IO


def saved(engine: str, name: str) -> IO[bytes]:
    """An image as an archive, in a file that goes when it is closed; `OSError` if there is none."""
    if shutil.which(engine) is None:
        raise OSError(f"{engine} is not installed")
    if name.startswith("-"):
        raise OSError("there is no image with that name")
    form = ["--format", "docker-archive"] if engine == "podman" else []
    file = tempfile.NamedTemporaryFile(suffix=".tar")  # noqa: SIM115 - it lives as long as the image is read
    done = subprocess.run([engine, "save", *form, name], stdout=file, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        file.close()
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(f"{engine} says: {said[-1] if said else 'nothing'}")
    return file
