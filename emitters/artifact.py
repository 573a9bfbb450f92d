"""Artifacts as values: what an emitter returns, and the one writer in ``emitters.write`` puts on disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """One file. ``path`` is relative, with ``/``, without ``..``; ``data`` is the exact content."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Artifact:
    """What one emitter made: ``kind`` (``oci``, ``dbt``, ``kubernetes``) and files sorted by path.

    ``digest`` names the whole (for an OCI layout the manifest's digest, ``sha256:…``), or is empty.
    """

    kind: str
    files: tuple[File, ...]
    digest: str = ""
