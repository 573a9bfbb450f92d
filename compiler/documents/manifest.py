"""The manifest's shape: one team's platform, an enterprise, or a domain."""

from __future__ import annotations

from compiler.documents.governance import GATES, GOVERNANCE, NAMESPACE, NAMING, NETWORK_POLICIES, SWITCH
from compiler.documents.shape import Anything, Choice, Either, Field, Flag, Keyed, ListOf, MapOf, Number, Record, Text
from compiler.documents.values import (
    COUNT,
    DATE,
    DURATION,
    EMAIL,
    FILE_PATH,
    FULL_TEXT,
    IDENTIFIER,
    MANIFEST_NAME,
    OWNER,
    PERCENT,
    QUANTITY,
    REFERENCE,
    REGEX,
    SECRET_REFERENCE,
    SEMVER,
    TEXT,
    identifier,
)

OPEN = MapOf(Anything())

METADATA = Record(
    "ManifestMetadata",
    {
        "name": Field(MANIFEST_NAME, "1 to 63 lower-case letters, digits and `-`.", required=True),
        "version": Field(SEMVER, "SemVer 2.0; the tag that it is published under.", required=True),
        "owner": Field(OWNER, "A team or an e-mail address."),
        "description": Field(Text(longest=500), "At most 500 characters."),
        "scope": Field(Choice("enterprise", "domain"), "enterprise or domain; absent: one team's platform."),
        "labels": Field(OPEN, "Own labels."),
    },
)

REFERENCE_TO_PARENT = Record(
    "Reference",
    {
        "ref": Field(
            REFERENCE, "A path, or oci://host/repository:tag with a tag, a range (v1.2.*) or a digest.", required=True
        ),
        "public_key": Field(FILE_PATH, "A file with the public key that must have signed what is referred to."),
    },
    short="ref",
)

OWNER_RECORD = Record(
    "Owner",
    {
        "team": Field(OWNER, "The team's name, or its address."),
        "email": Field(EMAIL, "Its address."),
        "slack": Field(TEXT, "Its channel."),
        "name": Field(TEXT, "A person's name."),
    },
    short="team",
)

_EXTRA = Record(
    "ExtraPolicies",
    {
        "audit_logging": Field(SWITCH, "Audit logging that this domain needs.", order="stricter_up"),
        "compute_approved": Field(ListOf(FULL_TEXT), "The only computes that this domain may use.", order="intersect"),
    },
    rest=Anything(),
)

DOMAIN = Record(
    "Domain",
    {
        "name": Field(IDENTIFIER, "The domain's name.", required=True),
        "namespace": Field(TEXT, "Its namespace in the catalog."),
        "owners": Field(ListOf(OWNER_RECORD, lone=True), "Who answers for it."),
        "description": Field(TEXT, "What it is about."),
        "extra_policies": Field(_EXTRA, "What this domain needs beyond the enterprise's rules."),
    },
)

PLUGIN = Record(
    "Plugin",
    {
        "type": Field(FULL_TEXT, "The plugin's name.", also=("provider",)),
        "version": Field(FULL_TEXT, "The plugin's version."),
        "config": Field(OPEN, "The plugin's own configuration, checked by its schema."),
        "connection_secret_ref": Field(SECRET_REFERENCE, "The name of the secret that holds the connection."),
        "approved": Field(
            ListOf(Record("Approved", {"name": Field(FULL_TEXT, required=True), "config": Field(OPEN)}, short="name")),
            "Names among which a product may choose.",
        ),
        "default": Field(FULL_TEXT, "Which of the approved is used where a product names none."),
    },
    short="type",
)

_SCD = Record(
    "Scd",
    {
        "types_allowed": Field(
            ListOf(Number(0, 7, whole=True)), "Types of slowly changing dimensions.", order="intersect"
        ),
        "default_type": Field(Number(0, 7, whole=True), "The type where a model names none."),
    },
)

LAYER = Record(
    "Layer",
    {
        "name": Field(IDENTIFIER, "The layer's name.", required=True, order="fixed"),
        "prefix": Field(ListOf(FULL_TEXT, lone=True), "What its models' names begin with.", also=("prefixes",)),
        "pattern": Field(REGEX, "A regular expression instead of a prefix."),
        "description": Field(TEXT, "What it holds."),
        "catalog_namespace": Field(TEXT, "Its namespace in the catalog.", also=("namespace",)),
        "quality_gates": Field(GATES, "What its models must meet."),
        "may_depend_on": Field(ListOf(IDENTIFIER), "Layers that its models may read.", order="intersect"),
        "scd": Field(_SCD, "Slowly changing dimensions."),
    },
)

LAYOUTS = Choice("medallion", "kimball", "data_vault", "hybrid", "custom", lakehouse="medallion")
DATA_ARCHITECTURE = Record(
    "DataArchitecture",
    {
        "pattern": Field(LAYOUTS, "How models are laid out in layers."),
        "naming": Field(NAMING, "How models are named."),
        "layers": Field(Keyed(LAYER), "The layers, from the raw end.", order="extend"),
    },
)

_POLICY_USE = Record(
    "PolicyUse",
    {
        "use": Field(FILE_PATH, "stdlib, stdlib/<package>, a path, or oci://…", required=True, order="fixed"),
        "severity": Field(
            MapOf(Choice("off", "notify", "warn", "block", error="block", strict="block"), order="stricter_up"),
            "Severity by policy id; a child may only raise it.",
        ),
        "params": Field(OPEN, "Parameters by name; each joins as its policy declares."),
    },
    short="use",
)

_EXEMPTION = Record(
    "Exemption",
    {
        "policy": Field(FULL_TEXT, "The policy's id.", required=True),
        "subject": Field(FULL_TEXT, "A glob of what is exempt.", required=True),
        "reason": Field(FULL_TEXT, "Why.", required=True),
        "expires": Field(DATE, "The last day on which it holds.", required=True),
        "approver": Field(OWNER, "Who allowed it.", also=("approved_by",)),
    },
)

_REGISTERED = Record(
    "RegisteredProduct",
    {
        "name": Field(FULL_TEXT, "domain.product or the product's name.", required=True),
        "repository": Field(TEXT, "Its repository."),
        "registered_at": Field(DATE, "When."),
    },
    short="name",
)

_RESOURCES = Record(
    "Resources",
    {
        "cpu_request": Field(QUANTITY, "CPU asked for."),
        "cpu_limit": Field(QUANTITY, "CPU at most."),
        "memory_request": Field(QUANTITY, "Memory asked for."),
        "memory_limit": Field(QUANTITY, "Memory at most."),
        "requests": Field(OPEN, "As Kubernetes writes it."),
        "limits": Field(OPEN, "As Kubernetes writes it."),
    },
)

_SERVICE = Record(
    "Service",
    {
        "enabled": Field(Flag(), "Whether it is deployed."),
        "replicas": Field(COUNT, "How many pods."),
        "resources": Field(_RESOURCES, "CPU and memory."),
        "ingress": Field(
            Record(
                "Ingress",
                {
                    "enabled": Field(Flag()),
                    "host": Field(TEXT),
                    "tls": Field(Anything()),
                    "class_name": Field(TEXT),
                    "annotations": Field(OPEN),
                },
            ),
            "How it is reached from outside.",
        ),
        "autoscaling": Field(
            Record(
                "Autoscaling",
                {
                    "enabled": Field(Flag()),
                    "min_replicas": Field(COUNT),
                    "max_replicas": Field(COUNT),
                    "cpu_percent": Field(PERCENT, also=("target_cpu_utilization_percentage",)),
                },
            ),
            "How it grows.",
        ),
        "storage": Field(
            Either(
                QUANTITY, Record("Storage", {"size": Field(QUANTITY), "class": Field(TEXT, also=("storage_class",))})
            ),
            "Its volume.",
        ),
    },
    rest=Anything(),
)

_ENVIRONMENT = Record(
    "Environment",
    {
        "name": Field(IDENTIFIER, "dev, staging, prod …", required=True),
        "class": Field(Choice("production", "non_production"), "Which handling of classes holds."),
        "gates": Field(MapOf(Either(Flag(), SWITCH, OPEN)), "What must hold before a promotion into it."),
    },
    short="name",
    rest=Anything(),
)

_SIGNING = Record(
    "Signing",
    {
        "enabled": Field(Flag(), "Whether artifacts are signed.", order="stricter_up"),
        "enforcement": Field(
            Choice("off", "warn", "enforce", strict="enforce"), "What a missing signature does.", order="stricter_up"
        ),
        "mode": Field(Choice("keyless", "key-based", key_based="key-based"), "How."),
        "private_key": Field(
            Record(
                "PrivateKey",
                {"type": Field(FULL_TEXT), "key_id": Field(TEXT), "path": Field(TEXT), "password_env": Field(TEXT)},
            ),
            "Where the key is; never the key.",
        ),
        "verification": Field(
            Record(
                "Verification",
                {
                    "enabled": Field(Flag(), "Whether what is read is verified.", order="stricter_up"),
                    "trusted_issuers": Field(ListOf(OPEN), "Whose keyless signatures count.", order="intersect"),
                    "require_rekor_entry": Field(Flag(), "A transparency log's entry is needed.", order="stricter_up"),
                    "public_key": Field(OPEN, "The key that must have signed."),
                    "public_keys": Field(ListOf(OPEN), "Keys, one of which must have signed.", order="intersect"),
                },
            ),
            "How signatures are verified.",
        ),
        "public_key_ref": Field(TEXT, "A file with the public key."),
    },
)

_ARTIFACTS = Record(
    "Artifacts",
    {
        "registry": Field(Either(TEXT, OPEN), "Where artifacts are published."),
        "signing": Field(_SIGNING, "Signatures."),
        "promotion": Field(
            Record(
                "Promotion",
                {
                    "environments": Field(Keyed(_ENVIRONMENT), "The environments, in order.", order="extend"),
                    "notifications": Field(OPEN, "Who is told."),
                    "cross_registry_sync": Field(Anything(), "Copies in other registries."),
                    "verification": Field(
                        Choice("digest_match", "signature_match"), "How copies are compared.", order="stricter_up"
                    ),
                },
            ),
            "How artifacts move from one environment to the next.",
        ),
        "retention": Field(
            Record(
                "ArtifactRetention",
                {
                    "keep_last_versions": Field(COUNT, "Versions that are kept.", order="stricter_up"),
                    "keep_duration_days": Field(COUNT, "Days that versions are kept.", order="stricter_up"),
                    "protected_tags": Field(ListOf(FULL_TEXT), "Tags that are never deleted.", order="extend"),
                    "delete_schedule": Field(TEXT, "When old ones go."),
                    "dry_run": Field(Flag(), "Only say what would go."),
                },
            ),
            "What is kept of old artifacts.",
        ),
        "lifecycle": Field(OPEN, "When versions are deprecated and end."),
    },
    rest=Anything(),
)

_IDENTITY = Record(
    "Identity",
    {
        "enforcement": Field(
            Choice("off", "warn", "register", "enforce"), "How names are claimed.", order="stricter_up"
        ),
        "auto_register": Field(Flag(), "Whether a first compile claims the name."),
        "registration": Field(
            Record(
                "Registration",
                {
                    "max_attempts": Field(COUNT),
                    "initial_backoff": Field(DURATION),
                    "max_backoff": Field(DURATION),
                    "jitter": Field(Number(0, 1)),
                },
            ),
            "How often a claim is tried.",
        ),
    },
    rest=Anything(),
)

_POD_LEVEL = Choice("privileged", "baseline", "restricted")
_SECURITY = Record(
    "Security",
    {
        "pod_security": Field(
            Record(
                "PodSecurity",
                {
                    "platform_level": Field(_POD_LEVEL, "Services.", order="stricter_up"),
                    "jobs_level": Field(_POD_LEVEL, "Jobs.", order="stricter_up"),
                },
            ),
            "Pod security standards.",
        ),
        "network_policies": Field(NETWORK_POLICIES, "Network isolation."),
        "service_mesh": Field(
            Record(
                "ServiceMesh",
                {
                    "enabled": Field(Flag(), "Whether there is one.", order="stricter_up"),
                    "type": Field(Choice("istio", "linkerd"), "Which."),
                    "mtls": Field(Choice("permissive", "strict"), "Between services.", order="stricter_up"),
                },
            ),
            "The service mesh.",
        ),
        "api_auth": Field(MapOf(FULL_TEXT), "How each service's API authenticates."),
        "audit": Field(
            Record(
                "Audit",
                {
                    "enabled": Field(Flag(), "Whether audited.", order="stricter_up"),
                    "secret_access": Field(Flag(), "Reads of secrets.", order="stricter_up"),
                    "job_lifecycle": Field(Flag(), "Jobs' starts and ends.", order="stricter_up"),
                },
            ),
            "What is audited.",
        ),
        "telemetry": Field(OPEN, "How telemetry is protected."),
        "require_signed_artifacts": Field(Flag(), "Unsigned artifacts are refused.", order="stricter_up"),
        "trusted_keys": Field(ListOf(FILE_PATH), "Files of public keys.", order="intersect"),
    },
)

_CATALOG = Record(
    "CatalogStructure", {"namespaces": Field(Keyed(NAMESPACE), "Namespaces and their grants.", order="extend")}
)

MANIFEST = Record(
    "Manifest",
    {
        "apiVersion": Field(Choice("floe.dev/v1"), "floe.dev/v1.", required=True),
        "kind": Field(Choice("Manifest"), "Manifest.", required=True),
        "metadata": Field(METADATA, "What the manifest is called.", required=True),
        "parent": Field(REFERENCE_TO_PARENT, "The enterprise's manifest, of a domain."),
        "domain": Field(DOMAIN, "Which domain this is."),
        "domains": Field(Keyed(DOMAIN), "The enterprise's domains.", order="fixed"),
        "plugins": Field(MapOf(PLUGIN, check=identifier), "One choice a category.", order="plugins"),
        "approved_plugins": Field(
            MapOf(ListOf(FULL_TEXT), order="intersect"),
            "What may be chosen, by category; absent: anything.",
            order="extend",
        ),
        "approved_sinks": Field(ListOf(FULL_TEXT), "Reverse ETL sinks that may be used.", order="intersect"),
        "approved_products": Field(ListOf(FULL_TEXT), "Products of this domain.", order="intersect"),
        "data_architecture": Field(DATA_ARCHITECTURE, "Layers and names."),
        "catalog_structure": Field(_CATALOG, "Namespaces of the catalog."),
        "governance": Field(GOVERNANCE, "The guard rails."),
        "policies": Field(ListOf(_POLICY_USE), "Policy bundles in force.", order="extend"),
        "exemptions": Field(ListOf(_EXEMPTION), "What is exempt from a policy, why and until when.", order="extend"),
        "registered_products": Field(ListOf(_REGISTERED), "Products that are registered.", order="extend"),
        "pinned": Field(
            ListOf(FULL_TEXT),
            "Fields that nobody below may change, such as `data_architecture.pattern`.",
            order="extend",
        ),
        "services": Field(MapOf(_SERVICE), "Long-lived services."),
        "environments": Field(Keyed(_ENVIRONMENT), "The environments, in order."),
        "observability": Field(OPEN, "Traces, lineage and logs."),
        "resource_presets": Field(MapOf(_RESOURCES), "Named sizes of jobs."),
        "artifacts": Field(_ARTIFACTS, "Registry, signing, promotion."),
        "identity": Field(_IDENTITY, "How products claim their names."),
        "security": Field(_SECURITY, "Pods, network, audit."),
    },
)
