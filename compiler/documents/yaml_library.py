"""PyYAML, imported in half the time: its patterns are compiled where one is first used.

Most are those of the loaders in Python, which see no document where libyaml is there. Only in a process of our own:
another program may ask more of a pattern than what ``policy_lang.patterns`` has.
"""

from __future__ import annotations

import re
import sys
from typing import Any, cast

from policy_lang.later import ours
from policy_lang.patterns import Pattern

if "yaml" in sys.modules or not ours():
    import yaml as yaml
else:
    # What PyYAML imports of others comes before, so that none but its own patterns are put off.
    import base64  # noqa: F401
    import datetime  # noqa: F401

    _compile = re.compile
    cast("Any", re).compile = Pattern
    try:
        import yaml as yaml
    finally:
        cast("Any", re).compile = _compile
