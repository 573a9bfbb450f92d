"""Where OPA's own cases are found: the folder in FLOEC_CONFORMANCE, or ../shared/conformance."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("FLOEC_CONFORMANCE", Path(__file__).parents[3] / "shared" / "conformance"))
FOLDER = ROOT / "rego" / "v1"


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every case with its key, ``category:position note``."""
    for file in sorted(FOLDER.glob("*.json")):
        for position, case in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            yield f"{file.stem}:{position} {case['note']}", case
