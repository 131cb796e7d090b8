"""The generator that the settings name; those that are not asked for are never loaded."""

from collections.abc import Mapping

from strata.generation.generator import Generator
from strata.generation.settings import GenerateSettings


def generator_of(settings: GenerateSettings, environment: Mapping[str, str]) -> Generator | None:
    """The generator of the settings, None for the template alone; an endpoint's key is read from `environment`.

    Raises SettingsError without a usable URL, EncoderError where a local model cannot be loaded.
    """
    if settings.method == "local":
        from strata.generation.local import LocalModel  # torch and transformers take seconds to import

        return LocalModel.load(settings)
    if settings.method == "endpoint":
        from strata.generation.endpoint import Endpoint

        return Endpoint(settings, environment.get(settings.key_variable, ""))
    return None
