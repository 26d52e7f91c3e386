"""What a release is built from: a copy of what git knows, with the project's addresses written in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_RELATIVE = re.compile(r"(!?\[[^]]*\]\()(?![a-z]+:|#)([^)\s]+)\)")


class ReleaseError(Exception):
    """What whoever makes the release has to mend."""


class Home(NamedTuple):
    """Where the project lives; what is not known is empty."""

    repository: str = ""
    documentation: str = ""


def version(root: Path = ROOT) -> str:
    """The version that is to be released."""
    text = (root / "pid1lint" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def check_version(tag: str) -> None:
    """The tag, the changelog and the extension speak of the version that is to be released."""
    wanted = version()
    if tag and tag != f"v{wanted}":
        raise ReleaseError(f"the tag is {tag}, but pid1lint/__init__.py says {wanted}: the tag must be v{wanted}")
    if f"\n## [{wanted}] - " not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        raise ReleaseError(f"CHANGELOG.md has no section `## [{wanted}] - DAY`")
    manifest = (ROOT / "editors" / "vscode" / "package.json").read_text(encoding="utf-8")
    if f'"version": "{wanted}"' not in manifest:
        raise ReleaseError(f"editors/vscode/package.json is not of version {wanted}")


def epoch() -> str:
    """The time that all files of a release bear: SOURCE_DATE_EPOCH, else that of the last commit."""
    return os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct").strip()


def is_dirty() -> bool:
    """Whether the files differ from the last commit."""
    return bool(_git("status", "--porcelain").strip())


def copy(target: Path, home: Home) -> Home:
    """Copy what git knows and does not ignore; the addresses, from pyproject.toml or those given."""
    for name in filter(None, _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    pyproject = target / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    known: Mapping[str, str] = tomllib.loads(text)["project"].get("urls", {})
    home = Home(
        (home.repository or known.get("Repository", "")).rstrip("/"),
        (home.documentation or known.get("Documentation", "")).rstrip("/"),
    )
    if not known and any(home):
        rows = "".join(f'{key.capitalize()} = "{url}"\n' for key, url in home._asdict().items() if url)
        pyproject.write_text(f"{text.rstrip()}\n\n[project.urls]\n{rows}", encoding="utf-8")
    if home.repository:
        readme = target / "README.md"
        readme.write_text(_linked(readme.read_text(encoding="utf-8"), home.repository, version()), encoding="utf-8")
    return home


def _linked(readme: str, repository: str, released: str) -> str:
    """README with whole addresses: a package index shows it without the files around it."""

    def whole(match: re.Match[str]) -> str:
        kind = "raw" if match[1].startswith("!") else "blob"
        return f"{match[1]}{repository}/{kind}/v{released}/{match[2]})"

    return _RELATIVE.sub(whole, readme)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
