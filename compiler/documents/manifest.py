# ruff: noqa: RUF012 - pydantic copies mutable defaults for each object
"""The manifest's model: one team's platform, an enterprise, or a domain."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from compiler.documents.fields import Closed, Days, ManifestName, Object, Percent, SemVer

Enforcement = Literal["off", "warn", "strict"]


class Metadata(Closed):
    name: ManifestName
    version: SemVer
    owner: str = ""
    description: str = Field("", max_length=500)
    scope: Literal["enterprise", "domain"] | None = None


class Parent(Closed):
    ref: str


class Owner(Closed):
    team: str = ""
    email: str = ""
    slack: str = ""


class Domain(Closed):
    name: str
    namespace: str = ""
    owners: list[Owner | str] = []
    extra_policies: Object = {}


class Plugin(Closed):
    type: str | None = None
    version: str | None = None
    config: Object = {}
    connection_secret_ref: str | None = None
    approved: list[Any] = []
    default: str | None = None


class Gates(Closed):
    minimum_coverage: Percent | None = None
    required_tests: list[str] = []
    required_documentation: bool | None = None


class Layer(Closed):
    name: str | None = None
    prefix: str | list[str] | None = None
    pattern: str | None = None
    description: str = ""
    catalog_namespace: str = ""
    quality_gates: Gates = Gates()
    may_depend_on: list[str] | None = None
    scd: Object = {}


class Naming(Closed):
    enforcement: Enforcement | None = None
    case: Literal["snake_case", "camelCase", "PascalCase"] | None = None
    pattern: str | None = None
    custom_patterns: Any = None


class DataArchitecture(Closed):
    pattern: Literal["medallion", "kimball", "data_vault", "hybrid", "custom"] | None = None
    naming: Naming = Naming()
    layers: dict[str, Layer] | list[Layer] = {}


class Level(Closed):
    name: str
    requires_encryption: bool | None = None
    requires_masking: bool | None = None
    retention_max_days: Days | None = None
    allowed_layers: list[str] = []


class Category(Closed):
    level: str | None = None
    requires_encryption: bool | None = None
    requires_masking_in_non_prod: bool | None = None
    retention_max_days: Days | None = None
    sensitivity: Literal["low", "medium", "high", "critical"] | None = None


class Classification(Closed):
    source: str | None = None
    levels: list[str | Level] = []
    categories: dict[str, Category] = {}
    policies: Object = {}


class Retention(Closed):
    min_days: Days | None = None
    max_days: Days | None = None
    default_ttl_hours: Days | None = None


class QualityGates(Closed):
    minimum_test_coverage: Percent | None = None
    required_tests: list[str] = []
    require_descriptions: bool | None = None
    require_column_descriptions: bool | None = None
    documentation_required: bool | None = None
    block_on_failure: bool | None = None
    enforcement: Enforcement | None = None
    layers: dict[str, Gates] = {}


class Governance(Closed):
    classification: Classification = Classification()
    access_control: Object = {}
    retention: Retention = Retention()
    quality_gates: QualityGates = QualityGates()
    data_contracts: Object = {}
    audit_logging: Literal["disabled", "enabled", "required"] | None = None
    pii_encryption: Literal["optional", "required"] | None = None
    policy_enforcement_level: Enforcement | None = None
    secret_scanning: Any = None
    network_policies: Any = None
    rbac: Any = None
    sla_minimums: Object = {}
    interoperability: Object = {}
    sensitive_fields: list[Any] = []
    naming: Naming = Naming()
    policies: Object = {}
    slas: Object = {}
    schema_evolution: Literal["strict", "additive", "any"] | None = None
    product_registration: Object = {}
    snapshot_keep_last: int | None = None
    stale_table_recovery_mode: str | None = None


class PolicyUse(Closed):
    use: str
    severity: dict[str, Literal["block", "warn", "notify", "off"]] = {}
    params: Object = {}


class Exemption(Closed):
    policy: str
    subject: str
    reason: str = Field(min_length=1)
    expires: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    approver: str | None = None


class Manifest(Closed):
    """``kind: Manifest`` of any scope."""

    apiVersion: Literal["floe.dev/v1"]
    kind: Literal["Manifest"]
    metadata: Metadata
    parent: Parent | None = None
    domain: Domain | None = None
    domains: list[Domain] = []
    plugins: dict[str, Plugin] = {}
    approved_plugins: dict[str, list[str]] = {}
    approved_sinks: list[str] | None = None
    approved_products: list[str] | None = None
    data_architecture: DataArchitecture = DataArchitecture()
    catalog_structure: Object = {}
    governance: Governance = Governance()
    policies: list[PolicyUse] | None = None
    exemptions: list[Exemption] = []
    registered_products: list[Object] = []
    services: Object = {}
    environments: Any = None
    observability: Object = {}
    resource_presets: Object = {}
    artifacts: Object = {}
    identity: Object = {}
    security: Object = {}
