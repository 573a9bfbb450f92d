"""Names of files as a code host knows them: from the root of the repository, wherever the command was started."""

from __future__ import annotations

import os
from urllib.parse import quote

from policy_lang.records import NamedTuple


class Root(NamedTuple):
    """``folder`` is the one that relative names of files count from, ``top`` the root of its repository."""

    folder: str
    top: str

    def inside(self, file: str) -> str | None:
        """The name from ``top``, with slashes; None where the file is not below it."""
        name = os.path.relpath(os.path.join(self.folder, file), self.top).replace(os.sep, "/")
        return None if name == ".." or name.startswith("../") else name


def root_of(folder: str) -> Root:
    """The repository that holds a folder, else the folder itself."""
    top = folder
    while not os.path.exists(os.path.join(top, ".git")):
        above = os.path.dirname(top)
        if above == top:
            return Root(folder, folder)
        top = above
    return Root(folder, top)


def uri(file: str, root: Root) -> str:
    """The reference of a file: relative to the root where it is below it, else absolute (RFC 3986, percent-encoded)."""
    name = root.inside(file)
    if name is not None:
        return quote(name, safe="/!$&'()*+,;=@~", errors="surrogateescape").replace(":", "%3A")
    whole = os.path.normpath(os.path.join(root.folder, file)).replace(os.sep, "/")
    return "file://" + quote(whole if whole.startswith("/") else f"/{whole}", errors="surrogateescape")
