"""``msgspec.Struct``, with msgspec imported in half the time.

msgspec takes ``get_type_hints`` from ``typing_extensions`` where there is that, else from ``typing``; from Python 3.11
on the two say the same. To import ``typing_extensions`` (and ``inspect`` for it) takes as long as msgspec itself.
"""

from __future__ import annotations

import sys
from typing import Any, cast

_SLOW = "typing_extensions"

if "msgspec" in sys.modules or _SLOW in sys.modules:
    from msgspec import Struct as Struct
    from msgspec import field as field
else:
    cast("dict[str, Any]", sys.modules)[_SLOW] = None  # what Python takes for a module that cannot be imported
    try:
        from msgspec import Struct as Struct
        from msgspec import field as field
    finally:
        del sys.modules[_SLOW]
