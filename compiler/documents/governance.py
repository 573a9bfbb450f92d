"""What a manifest says about governance: the shapes, and for each field how a child's value joins its parent's."""

from __future__ import annotations

from compiler.documents.shape import (
    Anything,
    Choice,
    Either,
    Field,
    Flag,
    Keyed,
    ListOf,
    MapOf,
    Number,
    Record,
    Switchable,
    Text,
)
from compiler.documents.values import (
    COUNT,
    DAYS,
    DURATION,
    FULL_TEXT,
    IDENTIFIER,
    PERCENT,
    REGEX,
    TEXT,
    identifier,
)

ENFORCEMENT = Choice("off", "warn", "strict", disabled="off", error="strict", block="strict")
SWITCH = Choice("disabled", "enabled", "required", off="disabled", on="enabled")
ACCESS = Choice("none", "read", "read_write", READ="read", READ_WRITE="read_write", write="read_write", NONE="none")
ON_FAILURE = Choice("notify", "warn", "block")
SENSITIVITY = Choice("low", "medium", "high", "critical")
CLASS_ACTION = Choice("allow", "restrict", "redact", "synthesize", none="allow", mask="redact")

LEVEL_NAME = Text(identifier, pattern=IDENTIFIER.pattern)
"""The name of a level: its rank is its place among the levels, which only the joined manifest knows."""

GATES = Record(
    "Gates",
    {
        "minimum_coverage": Field(PERCENT, "Percentage of columns that must have a test.", order="stricter_up"),
        "required_tests": Field(
            ListOf(FULL_TEXT), "Semantic names of tests that must be there, such as not_null_pk.", order="extend"
        ),
        "required_documentation": Field(
            Flag(),
            "Whether model and columns must be described.",
            order="stricter_up",
            also=("documentation_required",),
        ),
        "on_failure": Field(ON_FAILURE, "What happens where the gate is not met.", order="stricter_up"),
    },
)

NAMING = Record(
    "Naming",
    {
        "enforcement": Field(ENFORCEMENT, "off, warn or strict.", order="stricter_up"),
        "case": Field(Choice("snake_case", "camelCase", "PascalCase"), "How names are written.", order="fixed"),
        "pattern": Field(TEXT, "A named pattern or a regular expression for model names.", order="fixed"),
        "custom_patterns": Field(
            Either(ListOf(REGEX), MapOf(ListOf(REGEX, lone=True), order="extend")),
            "Regular expressions, in a list or by layer.",
            order="extend",
            also=("custom_pattern",),
        ),
    },
)

_LEVEL = Record(
    "Level",
    {
        "name": Field(IDENTIFIER, "The level's name.", required=True, order="fixed"),
        "description": Field(TEXT, "What belongs here."),
        "requires_encryption": Field(Flag(), "Encrypted at rest.", order="stricter_up", also=("encryption",)),
        "requires_masking": Field(Flag(), "Masked wherever it is read.", order="stricter_up", also=("masking",)),
        "retention_max_days": Field(DAYS, "Deleted after so many days at the latest.", order="stricter_down"),
        "allowed_layers": Field(ListOf(IDENTIFIER), "Layers that may hold it; empty: all.", order="intersect"),
        "access": Field(
            MapOf(ListOf(FULL_TEXT), order="intersect"), "Roles that may read it, by environment.", order="extend"
        ),
    },
    short="name",
)

_CATEGORY = Record(
    "Category",
    {
        "level": Field(LEVEL_NAME, "The level that it belongs to.", order="stricter_up"),
        "description": Field(TEXT, "What belongs here."),
        "requires_encryption": Field(Flag(), "Encrypted at rest.", order="stricter_up"),
        "requires_masking_in_non_prod": Field(Flag(), "Masked outside production.", order="stricter_up"),
        "retention_max_days": Field(DAYS, "Deleted after so many days at the latest.", order="stricter_down"),
        "sensitivity": Field(SENSITIVITY, "low to critical.", order="stricter_up"),
    },
)

_CLASSIFICATION = Record(
    "Classification",
    {
        "source": Field(Choice("dbt_meta", "dbt_tags", "contracts"), "Where columns declare their class."),
        "levels": Field(
            Keyed(_LEVEL, ranked=True),
            "Levels from public to the strictest; a child's new ones come after its parent's.",
            order="extend",
        ),
        "categories": Field(MapOf(_CATEGORY), "Categories such as pii, phi, financial.", order="extend"),
        "propagation": Field(ENFORCEMENT, "How classes that flow along lineage are judged.", order="stricter_up"),
    },
)

_ROLE = Record(
    "Role",
    {
        "name": Field(FULL_TEXT, "The role.", required=True, order="fixed"),
        "description": Field(TEXT, "Who has it."),
        "permissions": Field(ListOf(FULL_TEXT), "What it may do.", order="intersect"),
    },
    short="name",
)

_GRANT = Record(
    "NamespaceGrant",
    {
        "role": Field(FULL_TEXT, "Who may.", required=True, order="fixed"),
        "access": Field(ACCESS, "read or read_write.", order="stricter_down", default="read"),
    },
)

NAMESPACE = Record(
    "Namespace",
    {
        "name": Field(FULL_TEXT, "The catalog's namespace.", required=True, order="fixed"),
        "description": Field(TEXT, "What it holds."),
        "grants": Field(
            Keyed(_GRANT, "role", order="stricter_down", value="access"),
            "Who may read or write; a child may take away, never add.",
            order="intersect",
        ),
    },
)

_ACCESS_CONTROL = Record(
    "AccessControl",
    {
        "default": Field(Choice("allow", "deny"), "What holds without a grant.", order="stricter_up"),
        "roles": Field(Keyed(_ROLE), "Roles that are known.", order="extend"),
        "namespaces": Field(Keyed(NAMESPACE), "Grants by namespace.", order="extend"),
    },
)

_RETENTION = Record(
    "Retention",
    {
        "min_days": Field(DAYS, "Data is kept for at least so many days.", order="stricter_up"),
        "max_days": Field(DAYS, "Data is deleted after so many days at the latest.", order="stricter_down"),
        "default_ttl_hours": Field(
            Number(0), "Age in hours after which a table's partitions expire.", order="stricter_down"
        ),
    },
)

_QUALITY_GATES = Record(
    "QualityGates",
    {
        "minimum_test_coverage": Field(
            PERCENT, "Percentage of columns that must have a test.", order="stricter_up", also=("minimum_coverage",)
        ),
        "required_tests": Field(ListOf(FULL_TEXT), "Semantic names of tests that must be there.", order="extend"),
        "require_descriptions": Field(
            Flag(), "Every model is described.", order="stricter_up", also=("documentation_required",)
        ),
        "require_column_descriptions": Field(Flag(), "Every column is described.", order="stricter_up"),
        "block_on_failure": Field(Flag(), "Whether a gate that is not met blocks.", order="stricter_up"),
        "enforcement": Field(ENFORCEMENT, "off, warn or strict.", order="stricter_up"),
        "on_failure": Field(ON_FAILURE, "block, warn or notify.", order="stricter_up"),
        "layers": Field(MapOf(GATES), "Gates by layer.", order="extend"),
        "minimum_score": Field(
            PERCENT, "Quality score below which a product is blocked.", order="stricter_up", also=("min_score",)
        ),
        "warn_score": Field(PERCENT, "Quality score below which a product is warned about.", order="stricter_up"),
        "weights": Field(MapOf(Number(0)), "Weight of each dimension in the score."),
    },
)

_MONITOR = Record(
    "Monitor",
    {
        "check_interval": Field(DURATION, "Time between two checks.", order="stricter_down"),
        "enabled": Field(Flag(), "Whether it runs.", order="stricter_up"),
    },
)

_MONITORING = Record(
    "Monitoring",
    {
        "enabled": Field(Flag(), "Whether contracts are monitored.", order="stricter_up"),
        "mode": Field(Choice("on_demand", "scheduled", "continuous"), "When.", order="stricter_up"),
        "freshness": Field(_MONITOR, "Age of the data (15m)."),
        "schema_drift": Field(_MONITOR, "Columns and types (1h)."),
        "quality": Field(_MONITOR, "Quality rules (6h)."),
        "availability": Field(_MONITOR, "Whether the table answers (5m)."),
    },
)

DATA_CONTRACTS = Record(
    "DataContracts",
    {
        "enforcement": Field(
            Choice("off", "warn", "alert_only", "block", strict="block"),
            "off, warn, alert_only or block.",
            order="stricter_up",
        ),
        "standard": Field(Choice("odcs_v3"), "The contracts' standard."),
        "required": Field(Flag(), "Every output port has a contract.", order="stricter_up"),
        "schema_registry": Field(Flag(), "Schemas are registered.", order="stricter_up"),
        "plugin": Field(
            Record("ContractPlugin", {"type": Field(FULL_TEXT), "config": Field(MapOf(Anything()))}, short="type"),
            "What checks them.",
        ),
        "auto_generation": Field(
            Record(
                "AutoGeneration",
                {
                    "enabled": Field(Flag(), "Contracts are made for ports without one."),
                    "from_ports": Field(Flag(), "From output ports."),
                    "from_dbt_manifest": Field(Flag(), "Columns and types from dbt."),
                },
            ),
            "How contracts are generated.",
        ),
        "monitoring": Field(_MONITORING, "How they are watched."),
        "alerting": Field(
            Record(
                "Alerting",
                {
                    "openlineage_events": Field(Flag(), "Violations as OpenLineage facets.", order="stricter_up"),
                    "prometheus_metrics": Field(Flag(), "Violations as metrics.", order="stricter_up"),
                },
            ),
            "Who is told.",
        ),
    },
)

SLA_MINIMUMS = Record(
    "SlaMinimums",
    {
        "freshness": Field(
            DURATION,
            "The oldest that data may be; a number is hours.",
            order="stricter_down",
            also=("freshness_hours",),
        ),
        "availability": Field(PERCENT, "The least availability.", order="stricter_up"),
        "completeness": Field(PERCENT, "The least completeness.", order="stricter_up"),
        "accuracy": Field(PERCENT, "The least accuracy.", order="stricter_up"),
    },
    rest=PERCENT,
)

_INTEROPERABILITY = Record(
    "Interoperability",
    {
        "data_contracts": Field(
            Record(
                "ContractRules",
                {
                    "required": Field(Flag(), "Products share through contracts only.", order="stricter_up"),
                    "schema_registry": Field(Flag(), "Schemas are registered.", order="stricter_up"),
                },
            ),
            "Rules for sharing between domains.",
        ),
        "sla_enforcement": Field(Flag(), "A provider's SLA must meet its consumers'.", order="stricter_up"),
    },
)

_CLASS_POLICY = Record(
    "ClassPolicy",
    {
        "action": Field(
            CLASS_ACTION, "What is done with columns of the class, the weakest first.", order="stricter_up"
        ),
        "requires_role": Field(ListOf(FULL_TEXT, lone=True), "Roles of which a reader needs one.", order="intersect"),
    },
)

CLASS_POLICIES = MapOf(
    Record(
        "ClassPolicies",
        {
            "production": Field(_CLASS_POLICY, "In production."),
            "non_production": Field(_CLASS_POLICY, "Everywhere else."),
        },
    )
)

_REGISTRATION = Record(
    "ProductRegistration",
    {
        "mode": Field(Choice("open", "approval_required"), "Who may register a product.", order="stricter_up"),
        "allowed_repositories": Field(ListOf(FULL_TEXT), "Globs of repositories.", order="intersect"),
    },
)

_NETWORK = Record(
    "NetworkPolicies",
    {
        "enabled": Field(Flag(), "Whether there are network policies.", order="stricter_up"),
        "default_deny": Field(Flag(), "What is not allowed is denied.", order="stricter_up"),
        "allow_external_https": Field(Flag(), "Whether jobs may reach port 443 outside.", order="stricter_down"),
    },
)

_SCANNING = Record(
    "SecretScanning",
    {
        "enabled": Field(Flag(), "Whether files are scanned.", order="stricter_up"),
        "severity": Field(ON_FAILURE, "What a finding does.", order="stricter_up"),
        "exclude": Field(ListOf(FULL_TEXT), "Globs of files that are left out.", order="intersect"),
        "patterns": Field(ListOf(REGEX), "More patterns.", order="extend", also=("custom_patterns",)),
    },
)

_RBAC = Record(
    "Rbac",
    {
        "enabled": Field(Flag(), "Whether roles are generated.", order="stricter_up"),
        "roles": Field(Keyed(_ROLE), "Roles.", order="extend"),
        "job_service_account": Field(TEXT, "The jobs' service account."),
    },
    rest=Anything(),
)

NETWORK_POLICIES = Switchable(_NETWORK)

GOVERNANCE = Record(
    "Governance",
    {
        "classification": Field(_CLASSIFICATION, "Levels and categories of data."),
        "access_control": Field(_ACCESS_CONTROL, "Roles and grants."),
        "retention": Field(_RETENTION, "How long data is kept: at least, and at most."),
        "quality_gates": Field(_QUALITY_GATES, "What must be tested and described."),
        "data_contracts": Field(DATA_CONTRACTS, "How contracts are enforced."),
        "audit_logging": Field(SWITCH, "Whether access is logged.", order="stricter_up"),
        "pii_encryption": Field(
            Choice("optional", "required"), "Whether personal data must be encrypted.", order="stricter_up"
        ),
        "policy_enforcement_level": Field(
            ENFORCEMENT, "The strictness of policies that name none.", order="stricter_up"
        ),
        "secret_scanning": Field(Switchable(_SCANNING), "Whether files are scanned."),
        "network_policies": Field(NETWORK_POLICIES, "Network isolation of jobs."),
        "rbac": Field(Switchable(_RBAC), "Roles in the cluster."),
        "sla_minimums": Field(SLA_MINIMUMS, "What every output port must promise at least."),
        "interoperability": Field(_INTEROPERABILITY, "Sharing between domains."),
        "sensitive_fields": Field(
            ListOf(Either(FULL_TEXT, MapOf(Anything()))), "Patterns of column names that are sensitive.", order="extend"
        ),
        "policies": Field(CLASS_POLICIES, "What is done with each class, by environment.", order="extend"),
        "schema_evolution": Field(
            Choice("any", "additive", "strict"), "Which changes of a schema are allowed.", order="stricter_up"
        ),
        "product_registration": Field(_REGISTRATION, "Who may register products."),
        "snapshot_keep_last": Field(COUNT, "Iceberg snapshots that are kept at least.", order="stricter_up"),
        "stale_table_recovery_mode": Field(
            Choice("repair", "strict"), "What is done with a stale catalog entry.", order="stricter_up"
        ),
    },
)
