"""The language model as a service of its own: one batchable call, on a GPU where there is one."""

import logging
import time
from collections import OrderedDict
from hashlib import blake2b
from typing import Any

import bentoml

KEPT = 2
"""Models kept loaded: of the current release, and of the previous one for its last requests."""
REMEMBERED = 10_000
"""Vectors kept of texts that were read, found by their hashes: of a new item each API worker asks for the same."""
RETRY_SECONDS = 60
"""How often a model that cannot be loaded is tried again."""

logger = logging.getLogger("bentoml.strata")


def unmap(model: Any) -> None:
    """Read weights that are still mapped from their file, which may change or be cut while the model is in use."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.device.type == "cpu":
            tensor.data = tensor.data.clone()


@bentoml.service(
    name="encoder",
    resources={"gpu": 1},
    workers=1,
    traffic={"timeout": 30},
    logging={"access": {"enabled": False}},
)
class Encoder:
    """Encodes texts to vectors, each with the model of the release named in the call."""

    def __init__(self) -> None:
        from services import releases
        from services.settings import ServiceSettings
        from strata.errors import StrataError

        self.settings = ServiceSettings.from_environment()
        self._models: OrderedDict[str, Any] = OrderedDict()
        self._read: OrderedDict[tuple[str, bytes], Any] = OrderedDict()
        self._failed = ("", 0)
        try:
            folder = releases.wanted(self.settings)
            self._model(releases.read_manifest(folder).id)
        except StrataError as error:  # readiness reports it; the next release may work
            logger.error("the encoder starts without a model: %s", error)

    @bentoml.api  # callers send together what waits: BentoML's batcher would hold a lone text back
    def encode(self, texts: list[tuple[str, str]]) -> list[list[float] | None]:
        """Vectors (d,) of (release id, text) pairs; None where this process has no such release.

        Plain numbers, which travel as JSON too; of several releases vectors may differ in length.
        """
        from services.metrics import BATCHES, ENCODED

        keys = [(release, _digest(text)) for release, text in texts]
        new = {key: text for key, (_, text) in zip(keys, texts, strict=True) if key not in self._read}
        if new:
            BATCHES.observe(len(new))
            ENCODED.inc(len(new))
        found = {key: self._read[key] for key in keys if key in self._read}
        for release in {release for release, _ in new}:
            model = self._model(release)
            if model is not None:
                own = {key: text for key, text in new.items() if key[0] == release}
                found.update(zip(own, model.encode(list(own.values())).tolist(), strict=True))
        for key, vector in found.items():
            self._read[key] = vector
            self._read.move_to_end(key)
        while len(self._read) > REMEMBERED:
            self._read.popitem(last=False)
        return [found.get(key) for key in keys]

    @bentoml.api
    def answers(self, release: str) -> bool:
        """Whether texts are read by the model of a release; such a look is counted nowhere."""
        model = self._model(release)
        return model is not None and len(model.encode(["ready"])) == 1

    def _model(self, release: str) -> Any:
        """The model of a release, verified and loaded at first use; None if it cannot be loaded."""
        from services.releases import folder_of
        from strata.embeddings.encoder import Encoder as Model
        from strata.embeddings.encoder import EncoderSettings
        from strata.errors import StrataError
        from strata.release.layout import Part
        from strata.release.manifest import verify
        from strata.settings import read_settings

        if release not in self._models:
            if self._failed == (release, int(time.monotonic() / RETRY_SECONDS)):
                return None
            try:
                folder = folder_of(release, self.settings)
                verify(folder)
                settings = read_settings(EncoderSettings, "encoder", folder / Part.PARAMS)
                model = Model.load(folder / Part.ENCODER, settings)
                unmap(model.model)
                verify(folder)  # what was read is what was verified
                self._models[release] = model
            except StrataError as error:
                logger.error("release %s has no usable encoder: %s", release, error)
                self._failed = (release, int(time.monotonic() / RETRY_SECONDS))
                return None
            logger.info("encoder of release %s loaded on %s", release, self._models[release].device)
        self._models.move_to_end(release)
        while len(self._models) > KEPT:
            self._models.popitem(last=False)
        return self._models[release]


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
