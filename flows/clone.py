"""The clone that a deployment works in: each new result is a commit on the branch runs/DEPLOYMENT."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from flows.leash import CommandFailed, output

CORRECTIONS = "corrections/corrections.jsonl"
AUTHOR = ("-c", "user.name=Strata", "-c", "user.email=strata@localhost")


def branch_of(deployment: str) -> str:
    """The branch that a deployment's runs write to."""
    return f"runs/{deployment}"


@dataclass(frozen=True)
class Clone:
    """The clone at `folder` of the repository that holds `workspace`; it shares that one's DVC cache."""

    folder: Path
    deployment: str

    @property
    def branch(self) -> str:
        """The only branch that runs of this deployment write to."""
        return branch_of(self.deployment)

    def update(self, workspace: Path) -> None:
        """Reset the clone to the workspace's commit: leftovers of an earlier run are removed, artefacts stay."""
        origin = output(["git", "rev-parse", "--show-toplevel"], workspace)
        output(["git", "check-ref-format", f"refs/heads/{self.branch}"], workspace)
        if not (self.folder / ".git").exists():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            output(["git", "clone", "--quiet", "--no-checkout", origin, str(self.folder.absolute())], workspace)
        self._git("remote", "set-url", "origin", origin)  # either may have moved
        self._git("fetch", "--quiet", "--prune", "origin")
        self._git("fetch", "--quiet", "origin", "HEAD")
        self._git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
        self._git("clean", "--quiet", "--force", "-d")
        self._share_cache(Path(origin))

    def record(self, message: str) -> str | None:
        """Commit dvc.lock, the .dvc files and corrections to the branch and push it; None where they are there already.

        What the clone has besides is not committed.
        """
        kept = [path for path in ("dvc.lock", CORRECTIONS) if (self.folder / path).exists()]
        self._git("add", "--force", *kept, *self._git("ls-files", "*.dvc").splitlines())
        tree, base, former = self._git("write-tree"), self._git("rev-parse", "HEAD"), self.latest(self.branch)
        if self._git("rev-parse", f"{former or base}^{{tree}}") == tree:
            return None
        new_code = not former or self._git("merge-base", former, base) != base
        parents = [commit for commit in (former, base if new_code else None) if commit]
        flags = [flag for parent in parents for flag in ("-p", parent)]
        commit = self._git(*AUTHOR, "commit-tree", tree, *flags, "-m", message)
        self._git("push", "--quiet", "origin", f"{commit}:refs/heads/{self.branch}")
        return commit

    def latest(self, branch: str) -> str | None:
        """The commit that a branch of the workspace's repository was at when the clone was updated, None without it."""
        try:
            return self._git("rev-parse", "--quiet", "--verify", f"refs/remotes/origin/{branch}")
        except CommandFailed:
            return None

    def show(self, commit: str, path: str) -> str | None:
        """A text file as it is in a commit, None where it is not there."""
        try:
            text = self._git("show", f"{commit}:{path}")
        except CommandFailed:
            return None
        return f"{text}\n" if text else ""

    def _share_cache(self, origin: Path) -> None:
        """Use the workspace's cache and remote, so that nothing is computed or stored twice."""
        theirs, own = (folder / ".dvc" / "config.local" for folder in (origin, self.folder))
        own.unlink(missing_ok=True)
        if theirs.exists():
            shutil.copyfile(theirs, own)
        output(["dvc", "cache", "dir", "--local", output(["dvc", "cache", "dir"], origin)], self.folder)

    def _git(self, *arguments: str) -> str:
        return output(["git", *arguments], self.folder)
