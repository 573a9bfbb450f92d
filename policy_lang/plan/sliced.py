"""What is known of one policy that may be judged subject by subject; ``policy_lang.plan.slices`` finds it.

It has a module of its own because what the cache kept of it is read where no plan is.
"""

from __future__ import annotations

from policy_lang.records import NamedTuple
from policy_lang.source import Span


class Slice(NamedTuple):
    """One policy: the list of ``input`` that it is sliced over ("" where it is refused, and ``why``).

    ``reads`` is all that it can read of the input, as ``policy_lang.plan.reads`` gives it.
    """

    policy: str
    over: str
    why: str
    reads: frozenset[tuple[str, ...]]
    span: Span
