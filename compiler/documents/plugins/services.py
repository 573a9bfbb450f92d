"""Plugins that are services: catalogs, storage, semantic layers, secrets, telemetry, lineage, identity."""

from __future__ import annotations

from compiler.documents.plugins.common import OPEN, PORT, SECONDS, URL, Named, field
from compiler.documents.shape import Anything, Choice, Either, Flag, ListOf, MapOf, Number, Record
from compiler.documents.values import (
    COUNT,
    DURATION,
    EMAIL,
    FULL_TEXT,
    QUANTITY,
    SECRET_REFERENCE,
    TEXT,
    TIMEZONE,
)

_OAUTH = Record(
    "OAuth2",
    {
        "client_id": field(FULL_TEXT, "The client."),
        "client_secret": field(FULL_TEXT, "A reference such as ${NAME}; never the secret."),
        "scope": field(FULL_TEXT, "The scope."),
        "token_url": field(URL, "Where tokens are given."),
        "existing_secret": field(FULL_TEXT, "A Kubernetes secret."),
        "refresh_margin_seconds": field(SECONDS, "Seconds before a token ends that it is renewed."),
        "audience": field(FULL_TEXT, "The audience."),
    },
)
_POLARIS = {
    "uri": field(URL, "The REST catalog's address."),
    "warehouse": field(FULL_TEXT, "The catalog."),
    "oauth2": field(_OAUTH, "How it authenticates."),
    "credential_vending": field(
        Flag(), "Whether it gives out storage credentials.", "vended_credentials", "credential_vending_enabled"
    ),
    "realm": field(FULL_TEXT, "The realm."),
    "default_base_location": field(FULL_TEXT, "Where tables are stored."),
    "allowed_locations": field(ListOf(FULL_TEXT), "Where tables may be stored."),
    "storage_type": field(
        Choice("S3", "GCS", "AZURE", "FILE", s3="S3", gcs="GCS", azure="AZURE", file="FILE"), "Of the storage."
    ),
    "namespace": field(FULL_TEXT, "The default namespace."),
    "connect_timeout_seconds": field(SECONDS, "Seconds to connect."),
    "read_timeout_seconds": field(SECONDS, "Seconds for an answer."),
    "max_retries": field(COUNT, "Attempts."),
    "replicas": field(COUNT, "How many pods."),
    "persistence": field(OPEN, "Its database."),
    "auth": field(OPEN, "As the chart has it."),
    "headers": field(MapOf(FULL_TEXT), "Headers of every request."),
}
_GLUE = {
    "database": field(FULL_TEXT, "The database."),
    "region": field(FULL_TEXT, "The region."),
    "catalog_id": field(FULL_TEXT, "The account."),
    "warehouse": field(FULL_TEXT, "Where tables are stored."),
    "role_arn": field(FULL_TEXT, "The role."),
    "endpoint": field(URL, "Its address."),
    "lake_formation": field(Flag(), "Whether Lake Formation rules."),
    "skip_archive": field(Flag(), "Whether old versions go."),
}
_HIVE = {
    "uri": field(URL, "thrift://host:9083."),
    "warehouse": field(FULL_TEXT, "Where tables are stored."),
    "database": field(FULL_TEXT, "The database."),
    "kerberos": field(OPEN, "Kerberos."),
    "hive2_compatible": field(Flag(), "For Hive 2."),
}
_NESSIE = {
    "uri": field(URL, "Its address."),
    "ref": field(FULL_TEXT, "The branch.", "branch"),
    "warehouse": field(FULL_TEXT, "Where tables are stored."),
    "authentication": field(
        Choice("NONE", "BEARER", "OAUTH2", "AWS", none="NONE", bearer="BEARER", oauth2="OAUTH2", aws="AWS"), "How."
    ),
    "oauth2": field(_OAUTH, "How it authenticates."),
}
_S3 = {
    "access_key_id": field(FULL_TEXT, "A reference such as ${NAME}."),
    "secret_access_key": field(FULL_TEXT, "A reference such as ${NAME}; never the key."),
    "bucket": field(FULL_TEXT, "The bucket."),
    "prefix": field(TEXT, "What keys begin with."),
    "region": field(FULL_TEXT, "The region."),
    "endpoint": field(URL, "The address, where it is not AWS."),
    "path_style_access": field(Flag(), "host/bucket instead of bucket.host."),
    "role_arn": field(FULL_TEXT, "The role."),
    "kms_key_id": field(FULL_TEXT, "The key.", "kms_key_arn"),
    "server_side_encryption": field(Choice("AES256", "aws:kms", "none"), "Encryption."),
    "storage_class": field(FULL_TEXT, "The class."),
    "use_ssl": field(Flag(), "TLS."),
    "sts_endpoint": field(URL, "For vended credentials."),
    "versioning": field(Flag(), "Keep versions."),
}
_MINIO = {
    **_S3,
    "replicas": field(COUNT, "How many pods."),
    "mode": field(Choice("standalone", "distributed"), "How it runs."),
    "size": field(QUANTITY, "Of each volume."),
    "storage_class_name": field(FULL_TEXT, "Of the volumes."),
    "console": field(Flag(), "The web console."),
    "buckets": field(
        ListOf(
            Record(
                "MinioBucket",
                {
                    "name": field(FULL_TEXT, ""),
                    "policy": field(FULL_TEXT, ""),
                    "versioning": field(Flag(), ""),
                    "purge": field(Flag(), ""),
                },
                short="name",
            )
        ),
        "Buckets that are made.",
    ),
}
_GCS = {
    "bucket": field(FULL_TEXT, "The bucket."),
    "prefix": field(TEXT, "What keys begin with."),
    "project": field(FULL_TEXT, "The project."),
    "location": field(FULL_TEXT, "EU, US, …"),
    "kms_key_name": field(FULL_TEXT, "The key."),
    "service_account": field(FULL_TEXT, "The account."),
}
_AZURE = {
    "account_name": field(FULL_TEXT, "The storage account."),
    "container": field(FULL_TEXT, "The container."),
    "prefix": field(TEXT, "What names begin with."),
    "tenant_id": field(FULL_TEXT, "The tenant."),
    "client_id": field(FULL_TEXT, "The identity."),
    "endpoint": field(URL, "The address."),
    "hierarchical_namespace": field(Flag(), "ADLS Gen2."),
}
_CUBE = {
    "server_url": field(URL, "The server."),
    "api_secret": field(FULL_TEXT, "A reference such as ${NAME}; never the secret."),
    "database_name": field(FULL_TEXT, "The database."),
    "health_check_timeout": field(SECONDS, "Seconds."),
    "model_filter_tags": field(ListOf(FULL_TEXT), "Models with one of these tags."),
    "model_filter_schemas": field(ListOf(FULL_TEXT), "Models in one of these schemas."),
    "api_url": field(URL, "The API's address."),
    "port": field(PORT, "The API's port; default 4000."),
    "sql_port": field(PORT, "The SQL API's port."),
    "replicas": field(COUNT, "How many API pods."),
    "refresh_worker": field(Flag(), "A refresh worker."),
    "workers": field(COUNT, "Cube Store workers."),
    "cube_store": field(Either(Flag(), OPEN), "Cube Store."),
    "dev_mode": field(Flag(), "Development mode."),
    "database_type": field(FULL_TEXT, "The driver."),
    "schema_path": field(FULL_TEXT, "Where models go.", "model_path"),
    "pre_aggregations": field(
        Either(
            Flag(),
            Record(
                "CubePreAggregations",
                {"enabled": field(Flag(), ""), "refresh_every": field(DURATION, ""), "schema": field(FULL_TEXT, "")},
            ),
        ),
        "Pre-aggregations.",
    ),
    "security": field(
        Record(
            "CubeSecurity",
            {
                "row_level": field(Flag(), ""),
                "jwt_audience": field(FULL_TEXT, ""),
                "jwt_issuer": field(ListOf(FULL_TEXT, lone=True), ""),
                "claims_namespace": field(FULL_TEXT, ""),
                "jwk_url": field(URL, ""),
            },
        ),
        "Row-level security and tokens.",
    ),
    "scheduled_refresh": field(Flag(), "Refresh by itself."),
    "timezones": field(ListOf(TIMEZONE), "Of scheduled refreshes."),
    "telemetry": field(Flag(), "Its own telemetry."),
    "redis_url": field(URL, "For old versions."),
}
_DBT_SL = {
    "environment_id": field(Either(COUNT, FULL_TEXT), "The environment."),
    "host": field(FULL_TEXT, "The host."),
    "service_url": field(URL, "The API."),
    "export_schema": field(FULL_TEXT, "Where exports go."),
}
_K8S_SECRETS = {
    "kubeconfig_path": field(FULL_TEXT, "Which kubeconfig, outside the cluster."),
    "context": field(FULL_TEXT, "Which context of it."),
    "namespace": field(FULL_TEXT, "Where the secrets are."),
    "prefix": field(TEXT, "What their names begin with.", "secret_prefix"),
    "labels": field(MapOf(FULL_TEXT), "Their labels."),
}
_ESO = {
    "store": field(FULL_TEXT, "The store.", "secret_store"),
    "store_kind": field(Choice("SecretStore", "ClusterSecretStore"), "Its kind."),
    "refresh_interval": field(DURATION, "Between two reads."),
    "provider": field(Either(FULL_TEXT, OPEN), "aws, azure, gcp, vault, …"),
    "path": field(TEXT, "What keys begin with."),
    "namespace": field(FULL_TEXT, "Where the secrets are."),
    "reloader": field(Flag(), "Restart what uses them."),
}
_VAULT = {
    "address": field(URL, "Its address.", "url", "addr"),
    "mount": field(FULL_TEXT, "The mount.", "mount_path"),
    "path": field(TEXT, "What keys begin with."),
    "role": field(FULL_TEXT, "The role."),
    "auth_method": field(Choice("kubernetes", "approle", "jwt", "token"), "How."),
    "namespace": field(FULL_TEXT, "The namespace."),
    "kv_version": field(Number(1, 2, whole=True), "Of the engine."),
    "dynamic": field(Flag(), "Dynamic secrets."),
    "ca_cert_ref": field(FULL_TEXT, "The CA."),
}
_INFISICAL = {
    "client_id": field(FULL_TEXT, "The identity."),
    "client_secret": field(FULL_TEXT, "A reference such as ${NAME}; never the secret."),
    "site_url": field(URL, "Its address.", "host_api"),
    "project_id": field(FULL_TEXT, "The project.", "project_slug"),
    "environment": field(FULL_TEXT, "The environment.", "environment_slug"),
    "path": field(TEXT, "The folder.", "secrets_path", "secret_path"),
    "resync_interval": field(DURATION, "Between two reads."),
    "auth_secret_ref": field(SECRET_REFERENCE, "The secret with its identity."),
}
_ENV = {"prefix": field(TEXT, "What variables begin with."), "allow": field(ListOf(FULL_TEXT), "Which may be read.")}
_OTLP = {
    "endpoint": field(URL, "Where telemetry goes.", "url"),
    "protocol": field(Choice("grpc", "http/protobuf", "http"), "How."),
    "sampling": field(Either(Number(0, 1), MapOf(Number(0, 1))), "Part of the traces.", "sampling_ratio"),
    "headers_secret_ref": field(SECRET_REFERENCE, "The secret with headers."),
    "insecure": field(Flag(), "Without TLS."),
    "timeout": field(SECONDS, "Seconds."),
    "batch": field(OPEN, "The batch processor."),
    "resource_attributes": field(MapOf(Anything()), "On everything."),
    "service_name": field(FULL_TEXT, "The service."),
}
_CONSOLE = {
    "level": field(
        Choice("DEBUG", "INFO", "WARNING", "ERROR", debug="DEBUG", info="INFO", warning="WARNING", error="ERROR"),
        "From which level.",
    ),
    "pretty": field(Flag(), "For people."),
}
_JAEGER = {**_OTLP, "ui_url": field(URL, "The web page."), "storage": field(FULL_TEXT, "Its storage.")}
_DATADOG = {
    **_OTLP,
    "site": field(FULL_TEXT, "datadoghq.com, …"),
    "env": field(FULL_TEXT, "The environment."),
    "tags": field(Either(ListOf(FULL_TEXT), MapOf(FULL_TEXT)), "On everything."),
    "agent_host": field(FULL_TEXT, "The agent."),
}
_GRAFANA = {
    **_OTLP,
    "stack": field(FULL_TEXT, "The stack."),
    "instance_id": field(Either(COUNT, FULL_TEXT), "The instance."),
    "zone": field(FULL_TEXT, "The zone."),
    "dashboards": field(Flag(), "Whether dashboards are made."),
}
_LINEAGE = {
    "url": field(URL, "Its address.", "endpoint"),
    "namespace": field(FULL_TEXT, "The lineage namespace."),
    "timeout": field(SECONDS, "Seconds."),
    "drain_timeout": field(SECONDS, "Seconds for what is left at the end."),
    "allow_insecure_http": field(Flag(), "Without TLS."),
    "verify_ssl": field(Flag(), "Check certificates."),
    "transport": field(Choice("http", "kafka", "console", "file"), "How."),
    "compression": field(Choice("gzip"), "Of events."),
    "facets": field(OPEN, "Which facets."),
    "batch_size": field(COUNT, "Events a request."),
    "retry": field(OPEN, "Attempts."),
}
_ATLAN = {
    **_LINEAGE,
    "connection_qualified_name": field(FULL_TEXT, "The connection."),
    "tenant": field(FULL_TEXT, "The tenant."),
}
_OPENMETADATA = {
    **_LINEAGE,
    "service_name": field(FULL_TEXT, "The service."),
    "ingestion_pipeline": field(FULL_TEXT, "The pipeline."),
}
_OIDC = {
    "server_url": field(URL, "Its address."),
    "client_secret": field(FULL_TEXT, "A reference such as ${NAME}; never the secret."),
    "verify_ssl": field(Flag(), "Check certificates."),
    "timeout": field(SECONDS, "Seconds."),
    "url": field(URL, "Its address."),
    "issuer": field(URL, "The issuer."),
    "realm": field(FULL_TEXT, "The realm."),
    "realm_mapping": field(Either(FULL_TEXT, MapOf(FULL_TEXT)), "Domain to realm."),
    "client_id": field(FULL_TEXT, "The client."),
    "audience": field(FULL_TEXT, "The audience."),
    "admin_email": field(EMAIL, "The administrator."),
    "replicas": field(COUNT, "How many pods."),
    "groups_claim": field(FULL_TEXT, "The claim with groups."),
    "scopes": field(ListOf(FULL_TEXT), "OAuth scopes."),
    "connectors": field(ListOf(OPEN), "Identity providers."),
    "domain": field(FULL_TEXT, "The domain."),
}
_OBSERVE = {
    **_OTLP,
    "backend": field(FULL_TEXT, "Where it goes."),
    "metrics": field(Either(Flag(), OPEN), "Metrics."),
    "traces": field(Either(Flag(), OPEN), "Traces."),
    "logs": field(Either(Flag(), OPEN), "Logs."),
}

_K8S_RBAC = {
    "service_account": field(FULL_TEXT, "The jobs' service account."),
    "roles": field(ListOf(OPEN), "More roles."),
}
_K8S_NETWORK = {
    "default_deny": field(Flag(), "What is not allowed is denied."),
    "allow": field(ListOf(OPEN), "What is allowed."),
}
_ALERT = {
    "url": field(URL, "Where alerts go; a reference where it holds a secret.", "webhook_url"),
    "channel": field(FULL_TEXT, "The channel."),
    "recipients": field(ListOf(EMAIL), "Who is told."),
    "sender": field(EMAIL, "In whose name."),
    "smtp_host": field(FULL_TEXT, "The mail server."),
    "smtp_port": field(PORT, "Its port."),
    "timeout": field(SECONDS, "Seconds."),
    "headers_secret_ref": field(SECRET_REFERENCE, "The secret with headers."),
}

NAMED: dict[str, Named] = {
    "catalog": {
        "polaris": (_POLARIS, "chart values and catalog settings"),
        "glue": (_GLUE, ""),
        "hive": (_HIVE, ""),
        "nessie": (_NESSIE, ""),
    },
    "storage": {"s3": (_S3, ""), "minio": (_MINIO, "chart values"), "gcs": (_GCS, ""), "azure-blob": (_AZURE, "")},
    "semantic_layer": {"cube": (_CUBE, "models and chart values"), "dbt-semantic-layer": (_DBT_SL, "")},
    "secrets": {
        "k8s-secrets": (_K8S_SECRETS, ""),
        "eso": (_ESO, ""),
        "vault": (_VAULT, ""),
        "infisical": (_INFISICAL, ""),
        "env": (_ENV, ""),
    },
    "telemetry_backend": {
        "console": (_CONSOLE, ""),
        "jaeger": (_JAEGER, ""),
        "datadog": (_DATADOG, ""),
        "grafana-cloud": (_GRAFANA, ""),
        "otlp": (_OTLP, ""),
    },
    "lineage_backend": {"marquez": (_LINEAGE, ""), "atlan": (_ATLAN, ""), "openmetadata": (_OPENMETADATA, "")},
    "identity": {
        "keycloak": (_OIDC, ""),
        "dex": (_OIDC, ""),
        "authentik": (_OIDC, ""),
        "zitadel": (_OIDC, ""),
        "external": (_OIDC, ""),
    },
    "observability": {
        "otel": (_OBSERVE, ""),
        "datadog": (_DATADOG, ""),
        "grafana-cloud": (_GRAFANA, ""),
        "jaeger": (_JAEGER, ""),
    },
    "rbac": {"k8s": (_K8S_RBAC, "roles and service accounts")},
    "network_security": {"k8s": (_K8S_NETWORK, "network policies")},
    "alert_channels": {
        "slack": (_ALERT, ""),
        "email": (_ALERT, ""),
        "webhook": (_ALERT, ""),
        "alertmanager": (_ALERT, ""),
    },
}
