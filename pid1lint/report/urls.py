"""Where the project can be found on the web: what the installed package says, and nothing where it says nothing."""

from __future__ import annotations

from functools import cache


@cache
def home() -> str | None:
    """The project's address: `Homepage`, else `Repository`, of [project.urls] in pyproject.toml."""
    urls = _project_urls()
    return urls.get("homepage") or urls.get("repository")


def rule_page(name: str) -> str | None:
    """The address of a rule's page in the project's documentation."""
    documentation = _project_urls().get("documentation")
    return f"{documentation.rstrip('/')}/rules/{name}/" if documentation else None


@cache
def _project_urls() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        listed = metadata("pid1lint").get_all("Project-URL") or ()
    except PackageNotFoundError:
        return {}  # a checkout that is not installed
    labelled = (entry.partition(",") for entry in listed)
    return {label.strip().lower(): url.strip() for label, _, url in labelled}
