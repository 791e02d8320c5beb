"""Packages that are imported where they are used, because the rest works without them."""

import importlib
from typing import Any


def needed(module: str, package: str) -> Any:
    """The module, or an ImportError that says how to install its package."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"{package} is needed for this and cannot be imported; install it with: pip install {package}"
        raise ImportError(message, name=module) from error
