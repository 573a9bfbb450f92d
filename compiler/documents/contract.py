# ruff: noqa: RUF012 - pydantic copies mutable defaults for each object
"""The data contract's model: ODCS 3.x, the reference page's dialect, and the cross-domain contract."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from compiler.documents.fields import Closed, Object


class DataContract(Closed):
    """``kind: DataContract``; nested parts are judged by the contract stage."""

    apiVersion: Literal["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0", "floe.dev/v1"]
    kind: Literal["DataContract"]
    id: str | None = None
    name: str | None = None
    version: str | None = None
    status: str | None = None
    metadata: Object | None = None
    owner: str | None = None
    tenant: str | None = None
    domain: str | None = None
    dataProduct: str | None = None
    description: Any = None
    tags: list[str] = []
    servers: list[Object] = []
    schema_: list[Object] | Object = Field([], alias="schema")
    models: dict[str, Object] = {}
    team: Any = None
    roles: list[Object] = []
    support: list[Object] = []
    price: Object | None = None
    slaDefaultElement: str | None = None
    slaProperties: list[Object] | dict[str, Any] = []
    authoritativeDefinitions: list[Object] = []
    customProperties: list[Object] = []
    contractCreatedTs: str | None = None
    context: Any = None
    terms: Any = None
    deprecation: Object | None = None
    links: Any = None
    provider: Object | None = None
    consumer: Object | None = None
    sla: Object | None = None
    validation: Object | None = None
