# ruff: noqa: RUF012 - pydantic copies mutable defaults for each object
"""The data product's model (floe.yaml)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from compiler.documents.fields import Closed, Cron, Name, Object, Percent, ProductVersion, Timezone
from compiler.documents.manifest import Owner, Parent


class Metadata(Closed):
    name: Name
    version: ProductVersion = "0.0.0"
    description: str = ""
    owner: str = ""
    domain: str = ""
    repository: str = ""
    labels: Object = {}


class Platform(Closed):
    ref: str | None = None
    version: str | None = None
    cache: bool = True


class Transform(Closed):
    name: str | None = None
    type: str = "dbt"
    path: str | None = None
    tier: str | None = None
    tags: list[str] = []
    depends_on: list[str] = []
    compute: str | None = None
    profiles_dir: str | None = None
    select: str | None = None
    tests: Any = None


class Schedule(Closed):
    cron: Cron
    timezone: Timezone = "UTC"
    enabled: bool = True


class Sla(Closed):
    freshness: str | None = None
    availability: Percent | None = None
    quality: dict[Literal["completeness", "accuracy"], Percent] = {}


class Grant(Closed):
    domain: str | None = None
    role: str | None = None
    access: str = "read"


class Access(Closed):
    default: Literal["deny", "allow"] = "deny"
    grants: list[Grant] = []


class OutputPort(Closed):
    name: str
    description: str = ""
    table: str | None = None
    model: str | None = None
    schema_: Any = Field(None, alias="schema")
    sla: Sla = Sla()
    access: Access = Access()


class PortSource(Closed):
    type: str
    ref: str | None = None
    config: Object = {}


class InputPort(Closed):
    name: str
    description: str = ""
    source: PortSource | None = None
    freshness_requirement: str | None = None


class Quality(Closed):
    minimum_coverage: Percent | None = None
    required_tests: list[str] = []
    gates: list[Object] = []
    dbt_tests: Object = {}


class Governance(Closed):
    classification: Object = {}
    policies: Object = {}


class DataProduct(Closed):
    """``kind: DataProduct``."""

    apiVersion: Literal["floe.dev/v1"]
    kind: Literal["DataProduct"]
    metadata: Metadata
    platform: Platform | None = None
    domain: Parent | None = None
    ownership: Owner = Owner()
    transforms: list[Transform] = []
    ingestion: list[Object] = []
    input_ports: list[InputPort] = []
    output_ports: list[OutputPort] = []
    schedule: Schedule | None = None
    destinations: list[Object] = []
    quality: Quality = Quality()
    governance: Governance = Governance()
    depends_on: list[str] = []
