"""Makes a Bento of a release: code, lock and release inside, nothing else of the working folder.

python -m services.build --release artifacts/release
"""

import argparse
import shutil
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import bentoml
import yaml
from bentoml.exceptions import NotFound
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from services.recommender import THREADS, Recommender, app
from services.releases import ALIAS
from strata.errors import ReleaseError, StrataError
from strata.release.manifest import verify

ROOT = Path(__file__).parent.parent
CODE = ("strata", "services")
LOCK = "requirements.lock"
ABOUT = "Named, tiered, explained interests and recommendations. Release {release}; the API is described at /docs."


class LockedImage(bentoml.images.Image):
    """An image that installs the project's own lock.

    Keeps BentoML from installing uv here to freeze requirements that are frozen already.
    """

    def _freeze_python_requirements(self, bento_fs: Path, platform_: str | None = None) -> str:
        return self.python_requirements


def build(release: Path, name: str = "strata", torch: str = "cuda") -> bentoml.Bento:
    """Put a release into BentoML's model store as NAME:ID, and build a Bento with it.

    `torch`: build that its container installs, "cuda" or "cpu". Raises ReleaseError where the release is damaged.
    """
    identity = verify(release).id
    model = _store(release, f"{name}:{identity}")
    Recommender.image = LockedImage(python_version="3.11")
    Recommender.image.python_packages(*locked())
    Recommender.image.commands.clear()  # BentoML adds its first command again when it copies the image
    Recommender.envs = [*THREADS, *([{"name": "UV_TORCH_BACKEND", "value": "cpu"}] if torch == "cpu" else [])]
    with tempfile.TemporaryDirectory(prefix="strata-build-") as staging:
        for package in CODE:
            shutil.copytree(ROOT / package, Path(staging) / package, ignore=shutil.ignore_patterns("__pycache__"))
        bento = bentoml.build(
            "services.recommender:Recommender",
            name=name,
            labels={"release": identity},
            description=ABOUT.format(release=identity),
            include=[f"{package}/**/*.{kind}" for package in CODE for kind in ("py", "yaml")],
            models=[{"tag": str(model.tag), "alias": ALIAS}],
            build_ctx=staging,
        )
    # BentoML only describes its own methods, not FastAPI's.
    Path(bento.path_of("apis/openapi.yaml")).write_text(yaml.safe_dump(app.openapi()), encoding="utf-8")
    return bento


def locked() -> list[str]:
    """Lines of the lock that serving needs: requirements of library and services, with their dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed: set[tuple[str, str]] = set()
    waiting = [Requirement(line) for line in (*project["dependencies"], *project["optional-dependencies"]["service"])]
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            key = (canonicalize_name(wanted.name), extra)
            if key not in needed:
                needed.add(key)
                waiting.extend(_required_by(*key))
    names = {name for name, _ in needed}
    lines = (ROOT / LOCK).read_text(encoding="utf-8").split()
    return [line for line in lines if canonicalize_name(Requirement(line).name) in names]


def _required_by(name: str, extra: str) -> list[Requirement]:
    try:
        found = [Requirement(line) for line in metadata.requires(name) or []]
    except metadata.PackageNotFoundError:
        return []
    return [each for each in found if each.marker is None or each.marker.evaluate({"extra": extra})]


def _store(release: Path, tag: str) -> Any:
    """Copy the release into BentoML's model store, in a subfolder, as the store adds a file of its own."""
    try:
        model = bentoml.models.get(tag)
    except NotFound:
        with bentoml.models.create(tag) as model:
            shutil.copytree(release, model.path_of(ALIAS), copy_function=shutil.copyfile)
            verify(Path(model.path_of(ALIAS)))
        return model
    try:
        verify(Path(model.path_of(ALIAS)))
    except ReleaseError as error:
        raise ReleaseError(f"{error} (it lies in BentoML's model store; `bentoml models delete {tag}`)") from None
    return model


def main(arguments: list[str] | None = None) -> int:
    """Build and print the Bento's tag."""
    parser = argparse.ArgumentParser(prog="python -m services.build", description=__doc__.splitlines()[0])
    parser.add_argument("--release", type=Path, default=Path("artifacts/release"), help="release folder")
    parser.add_argument("--name", default="strata", help="name of the Bento and of its model")
    parser.add_argument("--torch", choices=("cuda", "cpu"), default="cuda", help="what a container installs")
    options = parser.parse_args(arguments)
    try:
        bento = build(options.release, options.name, options.torch)
    except StrataError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(bento.tag)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
