"""Rewrites of a plan that keep its meaning, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from policy_lang.plan.nodes import Plan
from policy_lang.plan.passes.aggregate import aggregate
from policy_lang.plan.passes.arguments import arguments
from policy_lang.plan.passes.early import early
from policy_lang.plan.passes.fold import fold
from policy_lang.plan.passes.fuse import fuse
from policy_lang.plan.passes.hoist import hoist
from policy_lang.plan.passes.index import index
from policy_lang.plan.passes.inline import inline
from policy_lang.plan.passes.join import join
from policy_lang.plan.passes.memoise import memoise
from policy_lang.plan.passes.share import share
from policy_lang.plan.passes.tally import tally
from policy_lang.plan.passes.types import infer
from policy_lang.plan.passes.unroll import unroll

Pass = Callable[[Plan], Plan]

PASSES: dict[str, Pass] = {
    "inline": inline,
    "unroll": unroll,
    "share": share,
    "join": join,
    "aggregate": aggregate,
    "early": early,
    "fuse": fuse,
    "hoist": hoist,
    "types": infer,
    "arguments": arguments,
    "fold": fold,
    "memoise": memoise,
    "tally": tally,
    "index": index,
}


def optimise(plan: Plan, without: frozenset[str] = frozenset()) -> Plan:
    """The plan after all passes but those named in ``without``."""
    for name, rewrite in PASSES.items():
        if name not in without:
            plan = rewrite(plan)
    return plan
