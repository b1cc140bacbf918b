"""config.yaml: typed, checked before use, and read again on SIGHUP."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_LIMIT = 100


class BadConfig(Exception):
    """The file cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Config:
    """One reading of the file; what it leaves out has the default. Never changed in place."""

    default_limit: int = 50
    log_requests: bool = True
    unknown: tuple[str, ...] = ()  # keys that this release does not know


def load(path: Path) -> Config:
    """Read `path`. Raises BadConfig."""
    document = read_mapping(path)
    pages = section(document, "pages")
    return Config(
        default_limit=number(pages, "default_limit", 50, 1, MAX_LIMIT),
        log_requests=flag(document, "log_requests", True),
        unknown=unknown(document, {"pages": {"default_limit"}, "log_requests": set()}),
    )


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML mapping. Raises BadConfig."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise BadConfig(f"{path.name}: {' '.join(str(error).split())}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadConfig(f"{path.name}: expected a mapping, found {type(document).__name__}")
    return document


def section(document: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the mapping under `key`, empty when left out. Raises BadConfig."""
    value = document.get(key, {})
    if value is None or not isinstance(value, dict):
        raise BadConfig(f"{key}: expected a mapping, found {value!r}")
    return value


def flag(mapping: dict[str, Any], key: str, default: bool) -> bool:
    """Return a yes or no. Raises BadConfig."""
    value = mapping.get(key, default)
    if not isinstance(value, bool):
        raise BadConfig(f"{key}: expected true or false, found {value!r}")
    return value


def number(mapping: dict[str, Any], key: str, default: int, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`. Raises BadConfig."""
    value = mapping.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadConfig(f"{key}: expected a number from {low} to {high}, found {value!r}")
    return value


def unknown(document: dict[str, Any], known: dict[str, set[str]]) -> tuple[str, ...]:
    """Return the dotted keys of `document` that are not in `known`."""
    found = [str(key) for key in document if key not in known]
    for key, inner in known.items():
        nested = document.get(key)
        if inner and isinstance(nested, dict):
            found += [f"{key}.{name}" for name in nested if name not in inner]
    return tuple(found)
