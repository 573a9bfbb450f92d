"""The policies in force with the severities and parameters that the tiers set, each tier only to the stricter side.

Codes: FLC320 a child lowers a severity, FLC321 a child moves a parameter to its weaker side, FLC322 a setting for a
policy or a parameter that the bundle does not have, FLC323 a security policy is switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from compiler.policies.bundles import Bundle, named
from policy_lang.diagnostics import Diagnostic, Label, Outcome, Severity
from policy_lang.policies import Declarations, ParamInfo, PolicyInfo
from policy_lang.records import NamedTuple
from policy_lang.source import Span
from policy_lang.spell import did_you_mean

SECURITY = "security"
"""The tag of policies that can neither be switched off nor exempted from."""

Default = Callable[[str, str], Any]

_REQUIRED_BY = "required-by:"
"""The prefix of a tag that names the manifest's setting which makes a policy block."""

_OFF = -1
_OF_RANK = {severity.rank: severity for severity in Severity}
_DATA_ARCHITECTURE = ("data_architecture", "naming", "enforcement")
_ENFORCEMENTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("floe.naming", _DATA_ARCHITECTURE),
    ("floe.testing", ("governance", "quality_gates", "enforcement")),
    ("floe.contracts", ("governance", "data_contracts", "enforcement")),
    ("floe.classification.class_propagated", ("governance", "classification", "propagation")),
    ("floe.classification.class_not_lowered", ("governance", "classification", "propagation")),
    ("floe.sql.secrets_in_code", ("governance", "secret_scanning", "severity")),
    ("floe.sql.secrets_in_macro", ("governance", "secret_scanning", "severity")),
    ("floe", ("governance", "policy_enforcement_level")),
)
_CAPS = {"off": _OFF, "alert_only": Severity.NOTIFY.rank, "notify": Severity.NOTIFY.rank, "warn": Severity.WARN.rank}


class Setting(NamedTuple):
    """A value that a manifest set: the tier, and where."""

    value: Any
    tier: str
    span: Span | None


class InForce(NamedTuple):
    """The policies with what is set for them.

    ``policies`` are all that the bundles declare; ``severities`` is id → severity (an id that is missing is switched
    off); ``params`` is package → name → value, of what was set; ``set_by`` is id → who set the severity, where
    somebody did; ``entries`` is the IR's ``policies``.
    """

    policies: Declarations
    severities: dict[str, Severity]
    params: dict[str, dict[str, Any]]
    set_by: dict[str, Setting]
    entries: tuple[dict[str, Any], ...]


def settle(
    bundles: Sequence[Bundle], policies: Declarations, manifest: Mapping[str, Any], default: Default
) -> Outcome[InForce]:
    """Join what the bundles set; ``manifest`` is the joined one, whose enforcement words hold severities down, and
    ``default`` answers a parameter's declared value, by its package and name."""
    found: list[Diagnostic] = []
    files = {id(bundle): set(bundle.files) for bundle in bundles}
    owners = {key: [p for p in policies.policies if p.span.file in of] for key, of in files.items()}
    for bundle in bundles:
        found += _unknown(bundle, owners[id(bundle)])
    severities: dict[str, Severity] = {}
    set_by: dict[str, Setting] = {}
    entries = []
    for policy in policies.policies:
        homes = [bundle for bundle in bundles if policy.span.file in files[id(bundle)]]
        rank, by = _severity(policy, homes, found)
        if by is None:
            rank = min(Severity.BLOCK.rank if _required(policy, manifest) else rank, _cap(policy, manifest))
        else:
            set_by[policy.id] = by
        word = "off" if rank == _OFF else _OF_RANK[rank]
        if rank != _OFF:
            severities[policy.id] = Severity(word)
        first = homes[0] if homes else bundles[0]
        about = {"package": policy.package, "id": policy.id, "name": policy.name, "title": policy.title}
        entries.append({**about, "severity": str(word), "use": first.use, "tier": first.tier})
    params = _params(bundles, files, policies, default, found)
    ordered = tuple(sorted(entries, key=lambda entry: entry["id"]))
    return Outcome(InForce(policies, severities, params, set_by, ordered), tuple(found))


def _unknown(bundle: Bundle, policies: Sequence[PolicyInfo]) -> Iterator[Diagnostic]:
    ids = {policy.id for policy in policies}
    for id_ in bundle.setting("severity"):
        if id_ not in ids:
            hint = did_you_mean(id_, ids) or "its policies are: " + ", ".join(sorted(ids))
            text = f"the bundle `{bundle.use}` has no policy {id_}"
            yield Diagnostic("FLC322", text, bundle.key_span("severity", id_), hint=hint)


def _severity(policy: PolicyInfo, homes: Sequence[Bundle], found: list[Diagnostic]) -> tuple[int, Setting | None]:
    """The rank in force, and who set it (None: the policy's own)."""
    rank, by, tier = policy.severity.rank, None, ""
    above: tuple[int, Setting | None, str] | None = None
    for bundle in homes:
        if tier and bundle.tier != tier:
            above = rank, by, tier
        tier = bundle.tier
        word = bundle.setting("severity").get(policy.id)
        if word is None:
            continue
        wanted = _OFF if word == "off" else Severity(word).rank
        said = Setting(word, tier, bundle.span("severity", policy.id))
        if wanted == _OFF and SECURITY in policy.tags:
            text = f"{policy.id} is a security policy: it cannot be switched off"
            found.append(Diagnostic("FLC323", text, said.span, related=(Label(named(policy.span), "declared here"),)))
        elif above is not None and wanted < above[0]:
            found.append(_weakened(policy, said, above[1], above[0], above[2]))
        else:
            rank, by = wanted, said
    return rank, by


def _weakened(policy: PolicyInfo, said: Setting, by: Setting | None, rank: int, tier: str) -> Diagnostic:
    before = next((s.value for s in Severity if s.rank == rank), "off")
    related = (
        Label(by.span, f"set by the {by.tier} manifest here")
        if by and by.span
        else Label(named(policy.span), "declared here")
    )
    text = (
        f"the {said.tier} manifest weakens {policy.id} to {said.value}; the {tier} manifest has it in force as {before}"
    )
    hint = f"give {before} or stricter, or leave it out"
    return Diagnostic("FLC320", text, said.span, related=(related,), hint=hint)


def _required(policy: PolicyInfo, manifest: Mapping[str, Any]) -> bool:
    """Whether the manifest requires what the policy checks: its tag `required-by:…` names a setting that is true."""
    paths = (tag.removeprefix(_REQUIRED_BY) for tag in policy.tags if tag.startswith(_REQUIRED_BY))
    return any(_at(manifest, path.split(".")) is True for path in paths)


def _at(manifest: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = manifest
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _cap(policy: PolicyInfo, manifest: Mapping[str, Any]) -> int:
    """What the manifest's enforcement words allow; where they say nothing, everything."""
    caps = [Severity.BLOCK.rank]
    for part, path in _ENFORCEMENTS:
        if f"{policy.package}.{policy.name}.".startswith(f"{part}."):
            caps.append(_CAPS.get(str(_at(manifest, path)), Severity.BLOCK.rank))
    gates = manifest.get("governance", {}).get("quality_gates", {}) if policy.package == "floe.testing" else {}
    if gates.get("block_on_failure") is False:
        caps.append(Severity.WARN.rank)
    lowest = min(caps)
    # A word for all policies of a kind may not silence those that guard security.
    return max(lowest, policy.severity.rank) if SECURITY in policy.tags else lowest


def _params(
    bundles: Sequence[Bundle],
    files: Mapping[int, set[str]],
    policies: Declarations,
    default: Default,
    found: list[Diagnostic],
) -> dict[str, dict[str, Any]]:
    params: dict[str, dict[str, Any]] = {}
    set_by: dict[tuple[str, str], Setting] = {}
    set_above: dict[tuple[str, str], Setting] = {}
    first_tier: dict[str, str] = {}
    tier = ""
    for bundle in bundles:
        if bundle.tier != tier:
            set_above, tier = dict(set_by), bundle.tier
        own = files[id(bundle)]
        declared = {
            (package, param.name): param
            for package, declarations in policies.params.items()
            for param in declarations
            if param.span.file in own
        }
        for package in {package for package, _ in declared}:
            first_tier.setdefault(package, bundle.tier)
        for key, value, keys in _given(bundle.setting("params"), declared):
            home = _home(key, declared, bundle, keys, found)
            if home is None:
                continue
            said = Setting(value, bundle.tier, bundle.span("params", *keys))
            wrong = policies.check_params({home[0]: {home[1]: value}})
            if wrong:
                found += [problem._replace(span=said.span) for problem in wrong]
                continue
            above = set_above.get(home)
            if above is not None or first_tier[home[0]] != tier:
                base = above.value if above is not None else default(*home)
                if not is_stricter(declared[home], base, value):
                    found.append(_weaker(declared[home], home, said, above, base))
                    continue
            set_by[home] = said
            params.setdefault(home[0], {})[home[1]] = value
    return params


def _given(
    params: Mapping[str, Any], declared: Mapping[tuple[str, str], ParamInfo]
) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Each parameter that is set, with its keys: ``name``, ``package.name``, or ``name`` under ``package``."""
    packages = {package for package, _ in declared}
    for key, value in params.items():
        if key in packages and isinstance(value, dict):
            yield from ((f"{key}.{name}", inner, (key, name)) for name, inner in value.items())
        else:
            yield key, value, (key,)


def _home(
    key: str,
    declared: Mapping[tuple[str, str], ParamInfo],
    bundle: Bundle,
    keys: tuple[str, ...],
    found: list[Diagnostic],
) -> tuple[str, str] | None:
    """The package and the name of the parameter that ``key`` means."""
    package, _, name = key.rpartition(".")
    homes = [home for home in declared if home[1] == name and package in ("", home[0])]
    if len(homes) == 1:
        return homes[0]
    if homes:
        text = f"several packages of `{bundle.use}` have a parameter `{name}`"
        hint = "write one of " + ", ".join(f"`{home}.{name}`" for home, _ in sorted(homes))
    else:
        text = f"the bundle `{bundle.use}` has no parameter `{key}`"
        hint = did_you_mean(name, [n for _, n in declared])
    found.append(Diagnostic("FLC322", text, bundle.key_span("params", *keys), hint=hint))
    return None


def is_stricter(param: ParamInfo, base: Any, value: Any) -> bool:
    """True where ``value`` is ``base`` or on the stricter side of it."""
    if param.stricter is None or base == value:
        return True
    if param.stricter == "higher":
        return bool(value >= base)
    if param.stricter == "lower":
        return bool(value <= base)
    members, allowed = (base, value) if param.stricter == "larger" else (value, base)
    if isinstance(members, dict) and isinstance(allowed, dict):
        return all(key in allowed and allowed[key] == item for key, item in members.items())
    return param.stricter != "fixed" and all(item in list(_items(allowed)) for item in _items(members))


def _items(value: Any) -> list[Any]:
    from policy_lang.runtime.values import RegoSet

    return list(value.values()) if isinstance(value, RegoSet) else list(value)


def _weaker(param: ParamInfo, home: tuple[str, str], said: Setting, above: Setting | None, base: Any) -> Diagnostic:
    from policy_lang.runtime.values import to_json

    span = above.span if above is not None and above.span is not None else named(param.span)
    place = Label(span, f"set by the {above.tier} manifest here" if above is not None else "declared here")
    text = f"the {said.tier} manifest moves `{'.'.join(home)}` from {to_json(base)} to {to_json(said.value)}"
    side = "must not change" if param.stricter == "fixed" else f"is stricter when {param.stricter}"
    return Diagnostic(
        "FLC321", f"{text}: it {side}", said.span, related=(place,), hint="leave it out, or go to the other side"
    )
