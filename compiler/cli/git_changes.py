"""The files that differ from a commit, as git tells; git works while the documents are being read.

What counts is on disk: staged or not, files that git does not know yet (but for ignored ones), both names of a file
that was renamed, and what is inside of submodules. Codes: FLC895 git cannot tell, FLC896 there is no such commit, or
what is named is none that files on disk can be compared with.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

_HINT = "name a commit that there is, inside a git repository"
_OF_ONE_REPOSITORY = frozenset(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"))
_GITLINK = "160000"
_FILES = ("100644", "100755")
_DIFF = (
    "diff", "--raw", "-z", "--no-renames", "--no-relative", "--no-abbrev", "--ignore-submodules=none",
    "--end-of-options",
)  # fmt: skip
_NEW = ("ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/")
_KNOWN = ("ls-files", "--cached", "--full-name", "-z", "--", ":/")


class GitError(Exception):
    """What git had to say, and what may help; the code is another where the commit that was named is to blame."""

    def __init__(self, message: str, hint: str = _HINT, code: str = "FLC895") -> None:
        super().__init__(message)
        self.hint, self.code = hint, code


class Question:
    """What differs in the repository of ``folder`` from the commit ``since``; asked at once, answered when needed.

    ``since`` is a commit, or ``COMMIT...``: where the current branch left COMMIT.
    """

    def __init__(self, folder: Path, since: str) -> None:
        self._folder = folder
        self._where = folder if folder.is_dir() else folder.parent
        self._since = since
        self._failed: GitError | None = None
        self._asked: tuple[subprocess.Popen[bytes], ...] = ()
        self._root = ""
        self._blobs: dict[str, tuple[str, str]] = {}
        """File → the repository that it is in, and the name of its content before."""
        try:
            commit = _commit(self._where, since)
            top = _start(self._where, "rev-parse", "--show-toplevel")
            self._asked = (top, _start(self._where, *_DIFF, commit, "--"), _start(self._where, *_NEW))
        except GitError as error:
            self._failed = error

    def close(self) -> None:
        """Wait for nothing that was asked and is not wanted any more."""
        for process in self._asked:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def answer(self) -> Outcome[frozenset[str]]:
        """Real paths, gone files included; FLC895 where git cannot tell, FLC896 where there is no such commit."""
        try:
            if self._failed is not None:
                raise self._failed
            return Outcome(frozenset(self._files()))
        except GitError as error:
            text, span = str(error), whole_file(str(self._folder))
            return Outcome(None, (Diagnostic(error.code, text, span, hint=error.hint),))

    def before(self, files: Iterable[str]) -> dict[str, bytes]:
        """The content that files had in the commit, of those of the answer that there were; nothing else."""
        asked: dict[str, dict[str, str]] = {}
        for file in files:
            if file in self._blobs:
                root, blob = self._blobs[file]
                asked.setdefault(root, {})[file] = blob
        found: dict[str, bytes] = {}
        for root, blobs in asked.items():
            ask = _start if root == self._root else _start_inside
            found.update(zip(blobs, _contents(ask, Path(root), list(blobs.values())), strict=True))
        return found

    def _differing(self, root: str, raw: bytes) -> Iterator[str]:
        """The paths of ``git diff --raw -z``: `:modes hashes status`, then the path."""
        parts = iter(raw.split(b"\0"))
        for about in parts:
            if not about.startswith(b":"):
                continue
            path = os.path.join(root, os.fsdecode(next(parts)))
            before, after, blob, *_ = about[1:].decode("ascii").split(" ")
            if _GITLINK in (before, after) and os.path.isdir(path):
                yield from self._inside(path, blob if before == _GITLINK else "")
                continue
            for name in _names(path):
                if before in _FILES:
                    self._blobs[name] = (root, blob)
                yield name

    def _inside(self, folder: str, commit: str) -> Iterator[str]:
        """What differs in the repository in ``folder`` from a commit of its own; all of it where it has no such one."""
        where = Path(folder)
        root = os.fsdecode(_output(_start_inside(where, "rev-parse", "--show-toplevel"))).rstrip("\n")
        if os.path.realpath(root) != os.path.realpath(folder):
            return  # a submodule that is not checked out
        found = _finished(_start_inside(where, *_DIFF, commit, "--")) if commit else None
        if found is None or found.returncode:
            yield from self._listed(root, _output(_start_inside(where, *_KNOWN)))
        else:
            yield from self._differing(root, found.stdout)
        yield from self._listed(root, _output(_start_inside(where, *_NEW)))

    def _listed(self, root: str, raw: bytes) -> Iterator[str]:
        for name in raw.split(b"\0"):
            if name.endswith(b"/"):  # a repository inside that is no submodule
                yield from self._inside(os.path.join(root, os.fsdecode(name[:-1])), "")
            elif name:
                yield from _names(os.path.join(root, os.fsdecode(name)))

    def _files(self) -> Iterator[str]:
        top, differ, new = self._asked
        self._root = root = os.fsdecode(_output(top)).rstrip("\n")
        found, others = _finished(differ), _finished(new)
        if found.returncode:
            if self._since != "HEAD" or not _unborn(self._where):
                raise _no_commit(self._where, self._since.removesuffix("HEAD").rstrip(".")) or _refused(found)
            yield from self._listed(root, _output(_start(self._where, *_KNOWN)))  # before the first commit all is new
        else:
            yield from self._differing(root, found.stdout)
        if others.returncode:
            raise _refused(others)
        yield from self._listed(root, others.stdout)


def _commit(where: Path, since: str) -> str:
    """What to compare with, as git is asked for it."""
    left, dots, right = since.partition("...") if "..." in since else since.partition("..")
    if not dots:
        return f"{since}^{{commit}}"
    if not left or right not in ("", "HEAD"):
        hint = "name one commit, or `COMMIT...` for where the current branch left it"
        text = f"`{since}` ends elsewhere than at the files on disk, which are what is judged"
        raise GitError(text, hint, "FLC896")
    if dots == "..":
        return f"{left}^{{commit}}"
    found = _finished(_start(where, "merge-base", "--end-of-options", left, "HEAD"))
    if found.returncode == 1 and not found.stderr.strip():
        hint = "fetch more of the history (`git fetch --unshallow`), or name another commit"
        raise GitError(f"git cannot tell: `{left}` and HEAD have no commit in common", hint)
    if found.returncode:
        raise _no_commit(where, left) or _refused(found)
    return os.fsdecode(found.stdout).strip()


def _no_commit(where: Path, name: str) -> GitError | None:
    """That there is no such commit, with what may have been meant; None where there is one, or no repository."""
    if (
        _finished(_start(where, "rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}")).returncode
        == 0
    ):
        return None
    known = _finished(_start(where, "for-each-ref", "--format=%(refname:short)"))
    if known.returncode:
        return None
    from policy_lang.spell import did_you_mean

    meant = did_you_mean(name, os.fsdecode(known.stdout).split())
    hint = meant or "name a commit, a branch or a tag of this repository; fetch it first where it is another's"
    return GitError(f"there is no commit `{name}`", hint, "FLC896")


def _unborn(where: Path) -> bool:
    """Whether the branch has no commit yet."""
    names_branch = _finished(_start(where, "symbolic-ref", "-q", "HEAD")).returncode == 0
    return names_branch and _finished(_start(where, "rev-parse", "-q", "--verify", "HEAD")).returncode != 0


def _contents(ask: Callable[..., subprocess.Popen[bytes]], root: Path, blobs: list[str]) -> Iterator[bytes]:
    """The contents of blobs of a repository, in this order; empty for one that is not there (in a partial clone)."""
    process = ask(root, "cat-file", "--batch", stdin=subprocess.PIPE)
    printed, _ = process.communicate("".join(f"{blob}\n" for blob in blobs).encode("ascii"))
    at = 0
    for _ in blobs:
        head, _, _ = printed[at : at + 256].partition(b"\n")
        at += len(head) + 1
        size = head.rpartition(b" ")[2]
        length = int(size) if size.isdigit() else 0
        yield printed[at : at + length]
        at += length + 1 if size.isdigit() else 0


def _names(path: str) -> Iterator[str]:
    """The file, and what it leads to where it is a link."""
    yield os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    yield os.path.realpath(path)


def _start_inside(where: Path, *argv: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """As ``_start``, where what the environment says of another repository does not hold."""
    others = {k: v for k, v in os.environ.items() if k not in _OF_ONE_REPOSITORY}
    return _start(where, *argv, environment=others, stdin=stdin)


def _start(
    where: Path, *argv: str, environment: dict[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["git", "-C", str(where), *argv],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment() if environment is None else environment,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise GitError(f"git cannot be run: {reason}", "install git") from error


def _finished(process: subprocess.Popen[bytes]) -> subprocess.CompletedProcess[bytes]:
    printed, said = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, printed, said)


def _output(process: subprocess.Popen[bytes]) -> bytes:
    done = _finished(process)
    if done.returncode:
        raise _refused(done)
    return done.stdout


def _refused(done: subprocess.CompletedProcess[bytes]) -> GitError:
    said = os.fsdecode(done.stderr).strip().splitlines() or ["no message"]
    reason = said[0].removeprefix("fatal: ").removeprefix("error: ").replace("^{commit}", "")
    return GitError(f"git cannot tell: {reason}")


def _environment() -> dict[str, str]:
    """As given, but for what git sets for hooks such that it holds in one folder only, and with no lock for a glance.

    In a linked worktree that is ``GIT_DIR``, which makes any folder that git is run in the top; and the path of the
    index may be relative.
    """
    given = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    if "GIT_WORK_TREE" not in given:
        given.pop("GIT_DIR", None)
    if given.get("GIT_INDEX_FILE"):
        given["GIT_INDEX_FILE"] = os.path.abspath(given["GIT_INDEX_FILE"])
    return given
