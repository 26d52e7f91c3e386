"""Where the project can be found on the web: what the installed package says, and nothing where it says nothing."""

from __future__ import annotations

from functools import cache


@cache
def home() -> str | None:
    """The project's address: `Homepage`, else `Repository`, of [project.urls] in pyproject.toml."""
    urls = _project_urls()
    return urls.get("homepage") or urls.get("repository")


@cache
def documentation() -> str | None:
    """The address of the project's documentation, without a `/` at its end."""
    address = _project_urls().get("documentation")
    return address.rstrip("/") if address else None


def rule_page(name: str) -> str | None:
    """The address of a rule's page in the project's documentation."""
    root = documentation()
    return f"{root}/rules/{name}/" if root else None


@cache
def _project_urls() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        listed = metadata("pid1lint").get_all("Project-URL") or ()
    except PackageNotFoundError:
        return {}  # a checkout that is not installed
    labelled = (entry.partition(",") for entry in listed)
    return {label.strip().lower(): url.strip() for label, _, url in labelled}
