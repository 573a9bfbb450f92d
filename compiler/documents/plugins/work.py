"""Plugins that do the work of a product: computes, orchestrators, ingestion, dbt, quality, contracts."""

from __future__ import annotations

from compiler.documents.plugins.common import OPEN, PORT, SECONDS, URL, Named, field
from compiler.documents.shape import Anything, Choice, Either, Flag, ListOf, MapOf, Number, Record, Text
from compiler.documents.values import (
    COUNT,
    CRON,
    DURATION,
    FULL_TEXT,
    PERCENT,
    QUANTITY,
    TEXT,
    TIMEZONE,
)

_SIZE = Text(lambda v: "" if v[:1].isdigit() else f"`{v}` is not a size such as `2GB`")
_DBT_TARGET = {
    "database": field(FULL_TEXT, "The database."),
    "schema": field(FULL_TEXT, "The default schema."),
    "threads": field(Number(1, whole=True), "Parallel statements of dbt."),
}
_RETRIES = {
    "connect_retries": field(COUNT, "Attempts to connect."),
    "connect_timeout": field(SECONDS, "Seconds for an attempt."),
}

_DUCKDB = {
    "read_only": field(Flag(), "Nothing is written."),
    **_DBT_TARGET,
    "path": field(
        FULL_TEXT, "The database file; `{product_slug}` is replaced by the product's name. Default: :memory:."
    ),
    "memory_limit": field(_SIZE, "Memory at most, such as 2GB."),
    "temp_directory": field(FULL_TEXT, "Where it spills to."),
    "extensions": field(
        ListOf(
            Either(
                FULL_TEXT,
                Record("DuckdbExtension", {"name": field(FULL_TEXT, ""), "repo": field(FULL_TEXT, "")}),
            )
        ),
        "Extensions that are loaded.",
    ),
    "settings": field(MapOf(Anything()), "Settings of DuckDB."),
    "attach": field(
        ListOf(
            Record(
                "DuckdbAttach",
                {
                    "path": field(FULL_TEXT, ""),
                    "alias": field(FULL_TEXT, ""),
                    "type": field(FULL_TEXT, ""),
                    "read_only": field(Flag(), ""),
                },
                short="path",
            )
        ),
        "Databases that are attached.",
    ),
    "external_root": field(FULL_TEXT, "Where external tables are written."),
    "use_credential_provider": field(FULL_TEXT, "How credentials for S3 are found, such as aws."),
    "is_ducklake": field(Flag(), "Whether the path is a DuckLake."),
    "retries": field(OPEN, "dbt-duckdb's retries."),
    "plugins": field(ListOf(Anything()), "dbt-duckdb's plugins."),
}
_SNOWFLAKE = {
    **_DBT_TARGET,
    **_RETRIES,
    "account": field(FULL_TEXT, "The account's identifier."),
    "user": field(FULL_TEXT, "The user, where the secret does not say."),
    "role": field(FULL_TEXT, "The role."),
    "warehouse": field(FULL_TEXT, "The warehouse."),
    "authenticator": field(FULL_TEXT, "externalbrowser, oauth, …"),
    "query_tag": field(TEXT, "A tag on every query."),
    "client_session_keep_alive": field(Flag(), "Keep the session."),
    "reuse_connections": field(Flag(), "Reuse connections."),
    "retry_on_database_errors": field(Flag(), "Try again."),
    "retry_all": field(Flag(), "Try again whatever happened."),
}
_SPARK = {
    **_DBT_TARGET,
    **_RETRIES,
    "method": field(Choice("thrift", "http", "odbc", "session", "connect"), "How dbt reaches it."),
    "host": field(FULL_TEXT, "The host."),
    "port": field(PORT, "The port."),
    "user": field(FULL_TEXT, "The user."),
    "cluster": field(FULL_TEXT, "The cluster."),
    "endpoint": field(FULL_TEXT, "The endpoint."),
    "organization": field(FULL_TEXT, "The organisation."),
    "auth": field(FULL_TEXT, "KERBEROS, …"),
    "use_ssl": field(Flag(), "TLS."),
    "master": field(FULL_TEXT, "spark://…, k8s://…, local."),
    "server_side_parameters": field(OPEN, "Settings of Spark.", "spark_conf", "conf"),
    "executors": field(
        Record(
            "SparkExecutors", {"instances": field(COUNT, ""), "memory": field(QUANTITY, ""), "cores": field(COUNT, "")}
        ),
        "Executors.",
    ),
    "driver": field(
        Either(FULL_TEXT, Record("SparkDriver", {"memory": field(QUANTITY, ""), "cores": field(COUNT, "")})),
        "The driver.",
    ),
}
_BIGQUERY = {
    **_DBT_TARGET,
    "project": field(FULL_TEXT, "The project."),
    "dataset": field(FULL_TEXT, "The default dataset."),
    "method": field(
        Choice("oauth", "service-account", "oauth-secrets", "service-account-json", "external-oauth-wif"),
        "How dbt authenticates.",
    ),
    "keyfile": field(FULL_TEXT, "A mounted key file."),
    "location": field(FULL_TEXT, "EU, US, …"),
    "priority": field(Choice("interactive", "batch"), "How queries are queued."),
    "execution_project": field(FULL_TEXT, "The project that pays."),
    "maximum_bytes_billed": field(COUNT, "Bytes at most."),
    "job_execution_timeout_seconds": field(SECONDS, "Seconds at most."),
    "job_creation_timeout_seconds": field(SECONDS, "Seconds to start."),
    "job_retries": field(COUNT, "Attempts."),
    "job_retry_deadline_seconds": field(SECONDS, "Seconds for all attempts."),
    "impersonate_service_account": field(FULL_TEXT, "The account that is used."),
    "scopes": field(ListOf(FULL_TEXT), "OAuth scopes."),
    "gcs_bucket": field(FULL_TEXT, "For Python models."),
    "dataproc_region": field(FULL_TEXT, "For Python models."),
    "dataproc_cluster_name": field(FULL_TEXT, "For Python models."),
}
_DATABRICKS = {
    **_DBT_TARGET,
    **_RETRIES,
    "catalog": field(FULL_TEXT, "The Unity catalog."),
    "host": field(FULL_TEXT, "The workspace."),
    "http_path": field(FULL_TEXT, "The warehouse's path."),
    "auth_type": field(FULL_TEXT, "oauth, …"),
    "client_id": field(FULL_TEXT, "The OAuth client."),
    "connection_parameters": field(OPEN, "Of the connector."),
    "session_properties": field(OPEN, "Of the session."),
    "compute": field(OPEN, "Named computes."),
}

_SCHEDULES = {
    "default_schedule": field(CRON, "When a product runs that names no schedule."),
    "timezone": field(TIMEZONE, "Of the default schedule."),
    "namespace": field(FULL_TEXT, "The namespace that jobs run in."),
    "service_account": field(FULL_TEXT, "The jobs' service account."),
    "image": field(FULL_TEXT, "The jobs' image."),
    "image_pull_policy": field(Choice("Always", "IfNotPresent", "Never"), "When the image is pulled."),
}
_DAGSTER = {
    **_SCHEDULES,
    "webserver": field(
        Record(
            "DagsterWebserver",
            {
                "host": field(FULL_TEXT, ""),
                "port": field(PORT, ""),
                "replicas": field(COUNT, ""),
                "path_prefix": field(TEXT, ""),
            },
        ),
        "The web server.",
    ),
    "daemon": field(
        Record("DagsterDaemon", {"enabled": field(Flag(), ""), "replicas": field(COUNT, "")}), "The daemon."
    ),
    "run_launcher": field(Either(FULL_TEXT, OPEN), "How runs start, such as K8sRunLauncher."),
    "run_coordinator": field(Either(FULL_TEXT, OPEN), "How runs queue."),
    "max_concurrent_runs": field(Number(-1, whole=True), "Runs at the same time."),
    "executor": field(Choice("in_process", "multiprocess", "k8s_job"), "How steps run."),
    "retries": field(COUNT, "Attempts of a run."),
    "storage": field(OPEN, "Where runs are stored."),
    "sensors": field(Flag(), "Whether sensors for input ports are made."),
    "freshness_checks": field(Flag(), "Whether SLAs become freshness checks."),
    "tags": field(MapOf(FULL_TEXT), "Tags on every run."),
}
_AIRFLOW = {
    **_SCHEDULES,
    "dag_prefix": field(FULL_TEXT, "What names of DAGs begin with."),
    "dags_folder": field(FULL_TEXT, "Where DAGs go."),
    "executor": field(FULL_TEXT, "KubernetesExecutor, …"),
    "pool": field(FULL_TEXT, "The pool."),
    "retries": field(COUNT, "Attempts."),
    "retry_delay": field(DURATION, "Time between them."),
    "catchup": field(Flag(), "Whether missed runs are made up for."),
    "max_active_runs": field(COUNT, "Runs at the same time."),
    "default_args": field(OPEN, "Of every DAG."),
}
_PREFECT = {
    **_SCHEDULES,
    "work_pool": field(FULL_TEXT, "The work pool."),
    "work_queue": field(FULL_TEXT, "The queue."),
    "api_url": field(URL, "The API."),
    "workspace": field(FULL_TEXT, "The workspace."),
    "retries": field(COUNT, "Attempts."),
    "retry_delay_seconds": field(SECONDS, "Between them."),
}

_DLT = {
    "catalog_config": field(OPEN, "Of the catalog that is written to."),
    "retry_config": field(OPEN, "Attempts."),
    "destination": field(FULL_TEXT, "duckdb, filesystem, snowflake, …"),
    "dataset_name": field(FULL_TEXT, "The default dataset."),
    "pipelines_dir": field(FULL_TEXT, "Where state is kept."),
    "staging": field(FULL_TEXT, "Where files are staged."),
    "loader_file_format": field(Choice("jsonl", "parquet", "csv", "insert_values"), "Of load files."),
    "table_format": field(Choice("iceberg", "delta", "hive", "native"), "Of tables."),
    "write_disposition": field(Choice("append", "replace", "merge", "skip"), "How rows are written."),
    "schema_contract": field(Either(FULL_TEXT, OPEN), "What a change of the schema does."),
    "sources": field(ListOf(Either(FULL_TEXT, OPEN)), "Sources that may be used.", "approved_sources"),
    "workers": field(COUNT, "Parallel loads."),
    "max_table_nesting": field(COUNT, "Depth of nested tables."),
    "dev_mode": field(Flag(), "Fresh dataset a run."),
    "progress": field(FULL_TEXT, "How progress is shown."),
    "image": field(FULL_TEXT, "The jobs' image."),
    "runtime": field(OPEN, "dlt's runtime section."),
    "normalize": field(OPEN, "dlt's normalize section."),
    "extract": field(OPEN, "dlt's extract section."),
    "load": field(OPEN, "dlt's load section."),
}
_AIRBYTE = {
    "api_url": field(URL, "The API.", "server_url"),
    "workspace_id": field(FULL_TEXT, "The workspace."),
    "destination_id": field(FULL_TEXT, "The destination."),
    "namespace": field(FULL_TEXT, "The namespace."),
    "sync_timeout_minutes": field(COUNT, "Minutes at most."),
    "connections": field(Anything(), "Connections."),
}
_LINT = Record(
    "SqlLinting",
    {
        "enabled": field(Flag(), "Whether SQL is linted."),
        "enforcement": field(
            Choice("disabled", "warn", "error", warning="warn", off="disabled"), "What a finding does."
        ),
        "dialect": field(FULL_TEXT, "The dialect."),
        "rules": field(OPEN, "Rules of the linter."),
        "exclude_rules": field(ListOf(FULL_TEXT), "Rules that are off."),
    },
)
_DBT = {
    "version": field(FULL_TEXT, "The version of dbt."),
    "project_dir": field(FULL_TEXT, "The project."),
    "profiles_dir": field(FULL_TEXT, "Where generated profiles go."),
    "target": field(FULL_TEXT, "The target."),
    "target_path": field(FULL_TEXT, "Where artifacts go."),
    "threads": field(Number(1, whole=True), "Parallel statements."),
    "packages": field(ListOf(Anything()), "Packages that are installed."),
    "fail_fast": field(Flag(), "Stop at the first error."),
    "full_refresh": field(Flag(), "Rebuild incremental models."),
    "warn_error": field(Flag(), "Warnings are errors."),
    "warn_error_options": field(OPEN, "Which warnings are errors."),
    "vars": field(OPEN, "Variables."),
    "flags": field(OPEN, "Flags of dbt_project.yml."),
    "sql_linting": field(_LINT, "SQL lint."),
    "image": field(FULL_TEXT, "The jobs' image."),
    "docs": field(Flag(), "Whether docs are generated."),
    "static_parser": field(Flag(), "dbt's static parser."),
    "partial_parse": field(Flag(), "dbt's partial parsing."),
}
_FUSION = {
    **_DBT,
    "static_analysis": field(Choice("off", "unsafe", "on", "strict", "baseline"), "Static analysis."),
    "binary": field(FULL_TEXT, "The command."),
}
_CLOUD = {
    **_DBT,
    "account_id": field(Either(COUNT, FULL_TEXT), "The account."),
    "job_id": field(Either(COUNT, FULL_TEXT), "The job."),
    "host": field(FULL_TEXT, "The host."),
}
_WEIGHTS = {
    "quality_gates": field(MapOf(OPEN), "Gates by layer."),
    "thresholds": field(MapOf(PERCENT), "min_score and warn_score."),
    "timeout_seconds": field(SECONDS, "Seconds."),
    "min_score": field(PERCENT, "Below it a product is blocked.", "minimum_score"),
    "warn_score": field(PERCENT, "Below it a product is warned about."),
    "weights": field(MapOf(Number(0)), "Of each dimension."),
    "fail_on_error": field(Flag(), "Whether an error of the tool blocks."),
    "image": field(FULL_TEXT, "The jobs' image."),
}
_GX = {
    **_WEIGHTS,
    "context_root_dir": field(FULL_TEXT, "The context."),
    "data_docs": field(Either(Flag(), OPEN), "Data docs."),
    "expectation_suites": field(ListOf(FULL_TEXT), "Suites."),
    "checkpoint": field(FULL_TEXT, "The checkpoint."),
    "datasource": field(FULL_TEXT, "The data source."),
}
_SODA = {
    **_WEIGHTS,
    "checks_path": field(FULL_TEXT, "Where checks are."),
    "scan_definition": field(FULL_TEXT, "The scan."),
    "soda_cloud": field(Either(Flag(), OPEN), "Soda Cloud."),
    "data_source": field(FULL_TEXT, "The data source."),
}
_DBT_EXPECTATIONS = {
    **_WEIGHTS,
    "package_version": field(FULL_TEXT, "The package's version."),
    "timezone": field(TIMEZONE, "dbt_date:time_zone."),
    "store_failures": field(Flag(), "Keep failing rows."),
    "severity": field(Choice("warn", "error"), "Of its tests."),
}
_ODCS = {
    "enforcement": field(Choice("off", "warn", "alert_only", "block"), "What a violation does."),
    "contracts_dir": field(FULL_TEXT, "Where contracts are."),
    "monitoring": field(OPEN, "How they are watched."),
}


NAMED: dict[str, Named] = {
    "compute": {
        "duckdb": (_DUCKDB, "dbt profile"),
        "snowflake": (_SNOWFLAKE, ""),
        "spark": (_SPARK, ""),
        "bigquery": (_BIGQUERY, ""),
        "databricks": (_DATABRICKS, ""),
    },
    "orchestrator": {
        "dagster": (_DAGSTER, "definitions and chart values"),
        "airflow": (_AIRFLOW, ""),
        "prefect": (_PREFECT, ""),
    },
    "ingestion": {"dlt": (_DLT, "jobs"), "airbyte": (_AIRBYTE, "")},
    "dbt": {"core": (_DBT, "project overlay and jobs"), "fusion": (_FUSION, ""), "cloud": (_CLOUD, "")},
    "quality": {"great_expectations": (_GX, ""), "soda": (_SODA, ""), "dbt_expectations": (_DBT_EXPECTATIONS, "")},
    "contracts": {"odcs": (_ODCS, "")},
}
