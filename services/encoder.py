"""The language model as a service of its own: one batchable call, on a GPU where there is one."""

import logging
import time
from collections import OrderedDict
from typing import Any

import bentoml

KEPT = 2
"""Models kept loaded: of the current release, and of the previous one for its last requests."""
RETRY_SECONDS = 60
"""How often a model that cannot be loaded is tried again."""

logger = logging.getLogger("bentoml.strata")


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
        self._failed = ("", 0)
        try:
            folder = releases.wanted(self.settings)
            self._model(releases.read_manifest(folder).id)
        except StrataError as error:  # readiness reports it; the next release may work
            logger.error("the encoder starts without a model: %s", error)

    @bentoml.api  # callers send together what waits: BentoML's batcher would hold a lone text back
    def encode(self, texts: list[tuple[str, str]]) -> list[Any]:
        """Vectors (d,) of (release id, text) pairs; None where this process has no such release.

        A list, as calls in a batch may be for several releases with different vector lengths.
        """
        from services.metrics import BATCHES, ENCODED

        BATCHES.observe(len(texts))
        ENCODED.inc(len(texts))
        vectors: list[Any] = [None] * len(texts)
        for release in {release for release, _ in texts}:
            model = self._model(release)
            if model is not None:
                places = [place for place, (of, _) in enumerate(texts) if of == release]
                found = model.encode([texts[place][1] for place in places])
                for place, vector in zip(places, found, strict=True):
                    vectors[place] = vector
        return vectors

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
                self._models[release] = Model.load(folder / Part.ENCODER, settings)
            except StrataError as error:
                logger.error("release %s has no usable encoder: %s", release, error)
                self._failed = (release, int(time.monotonic() / RETRY_SECONDS))
                return None
            logger.info("encoder of release %s loaded on %s", release, self._models[release].device)
        self._models.move_to_end(release)
        while len(self._models) > KEPT:
            self._models.popitem(last=False)
        return self._models[release]
