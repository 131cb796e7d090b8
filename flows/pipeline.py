"""DVC's pipeline in one folder: names of its stages, running one, outputs in the lock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from flows.leash import output, stream

Say = Callable[[str], None]


@dataclass(frozen=True)
class Pipeline:
    """A DVC project at `folder`. Raises CommandFailed where DVC fails."""

    folder: Path

    def stages(self) -> list[str]:
        """Names in the order of dvc.yaml, in which DVC walks them."""
        return output(["dvc", "stage", "list", "--name-only"], self.folder).splitlines()

    def has_remote(self) -> bool:
        """Whether there is a default remote to pull from and push to."""
        return bool(output(["dvc", "config", "core.remote"], self.folder))

    def reproduce(self, stage: str, say: Say) -> None:
        """Bring a stage and its dependencies up to date; from run cache or remote where these have the result."""
        pull = ["--pull"] if self.has_remote() else []
        stream(["dvc", "--wait-for-lock", "repro", *pull, stage], self.folder, say)

    def restore_data(self, say: Say) -> None:
        """Restore the raw data of the tracked .dvc files from the cache, or from the remote if there is one."""
        tracked = output(["git", "ls-files", "*.dvc"], self.folder).splitlines()
        command = "pull" if self.has_remote() else "checkout"
        if tracked:
            stream(["dvc", "--wait-for-lock", command, "--force", *tracked], self.folder, say)

    def tracked(self, path: Path) -> Path:
        """The folder around a path that DVC tracks, the uppermost where it tracks none."""
        inside = [path, *path.parents][:-1]  # without the project's own folder
        return next((each for each in inside if (self.folder / f"{each}.dvc").exists()), inside[-1])

    def add(self, path: Path, say: Say) -> None:
        """Make what lies at a path, with the tracked folder around it, a new version of the data."""
        stream(["dvc", "--wait-for-lock", "add", str(self.tracked(path))], self.folder, say)

    def push(self, say: Say) -> None:
        """Send artefacts and run cache to the remote."""
        stream(["dvc", "--wait-for-lock", "push", "--run-cache"], self.folder, say)

    def outputs(self) -> Sequence[tuple[str, str, str]]:
        """(stage, path, hash) of everything in the lock."""
        lock = self.folder / "dvc.lock"
        stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.exists() else {}
        return [(name, out["path"], out["md5"]) for name, stage in stages.items() for out in stage.get("outs", [])]
