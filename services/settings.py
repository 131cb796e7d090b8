"""Settings of the service: environment variables STRATA_…, read once when it starts."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from limits import parse
from platformdirs import user_cache_dir, user_data_dir
from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from services.own_folder import default_folder
from strata.errors import SettingsError
from strata.online.tokens import default_file
from strata.settings import Settings

PREFIX = "STRATA_"
FORMER = {"ANALYST_TOKEN": "make a token by `strata token create NAME --scope analyst`"}
"""Variables that are gone, and what is there instead: a service that ignored them would seem protected by them."""


def _rate(rate: str) -> str:
    """Refuse what is no rate."""
    try:
        if parse(rate).amount > 0:
            return rate
    except ValueError:
        pass
    raise PydanticCustomError("rate", "write a rate as 100/minute")


class ServiceSettings(Settings):
    """Each field is the variable STRATA_ + its name in capitals."""

    releases: Path | None = None
    """Folder of the release registry to follow; without it the built-in release serves."""
    release: Path | None = None
    """A release folder used in place of the built-in one, to serve without building a Bento."""
    shadow_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the lists that a release in the shadow computes as well, while one is there."""
    poll_seconds: PositiveFloat = 2.0
    """Seconds between reads of the pointer."""
    health_seconds: PositiveFloat = 2.0
    """Seconds between looks at what answers need: the encoder, the journal."""
    time_out: PositiveFloat = 2.0
    """Seconds a request may take before the fallback list answers."""
    heavy_time_out: PositiveFloat = 10.0
    """The same for requests that cost much: long lists and rankings, many users. They wait for one another."""
    encoder_time_out: PositiveFloat = 1.0
    """Seconds of `time_out` that encoding the request's texts may take."""
    encoder_url: str | None = None
    """Address of an encoder that runs elsewhere, for several replicas; without it the service starts its own."""
    body_limit: PositiveInt = 1_000_000
    """Bytes of a request's body."""
    header_time_out: PositiveFloat = 10.0
    """Seconds in which a request's headers must be there, whole; slower connections are closed."""
    header_limit: PositiveInt = 65_536
    """Bytes of a request's headers."""
    keep_alive: PositiveFloat = 5.0
    """Seconds after which an idle connection is closed."""
    rate: Annotated[str, AfterValidator(_rate)] = "1000/second"
    """Requests of one token: `n/second`, `/minute`, `/hour`; above it 429."""
    rate_store: SecretStr | None = None
    """A redis:// address where requests of all workers and replicas are counted; without it each worker has a part."""
    concurrency: PositiveInt = 512
    """Most requests in flight per API worker; above it 429."""
    workers: PositiveInt = Field(default_factory=lambda: min(os.cpu_count() or 1, 4))
    """API worker processes of about 0.5 GB each; each runs Python code for one request at a time."""
    threads: PositiveInt = 2
    """Threads per API worker that compute answers: while one is in NumPy or LightGBM, another can run."""
    metrics: Path = Field(default_factory=default_folder)
    """Folder where the processes of a server keep their metrics, each server in one of its own."""
    access_log: bool = True
    """A line for each request: its id, endpoint, status, milliseconds, token's name and release."""
    journal: str = str(Path(user_data_dir("strata")) / "journal.sqlite")
    """Where events, corrections and items are kept: a file of this machine, or redis://… for several replicas."""
    clock: Literal["wall", "data"] = "wall"
    """The platform's time: the machine's, or one that runs on from the end of the release's data, to try old data."""
    remember_seconds: NonNegativeFloat = 60.0
    """How long an answer is sent again while nothing that it depends on changes; 0: never."""
    log_lists: bool = True
    """Whether lists of users are kept in the journal, with release, places and propensities."""
    scrub: bool = True
    """Whether e-mail addresses, telephone numbers and the like are taken out of texts before they are kept."""
    sessions: Path = Path(user_cache_dir("strata")) / "sessions.sqlite"
    """File of the conversations, which all workers share; it may be deleted while the service is down."""
    session_seconds: PositiveFloat = 3600.0
    """Seconds after its last turn in which a conversation can go on."""
    tokens: Path = Field(default_factory=default_file)
    """File of the tokens, made by `strata token`; it is read again when it changes."""
    open: bool = False
    """Whether requests of this machine to its loopback need no token: for tests and first tries."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables that are set. Raises SettingsError naming the first that is wrong."""
        for former, now in FORMER.items():
            if environment.get(PREFIX + former):
                raise SettingsError(f"environment variable {PREFIX}{former} is not read any more; unset it: {now}")
        given = {name: environment[PREFIX + name.upper()] for name in cls.model_fields if _given(name, environment)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            fault = error.errors()[0]
            name = PREFIX + str(fault["loc"][0]).upper()
            raise SettingsError(f"environment variable {name}: {fault['msg']}; change or unset it") from None


def _given(name: str, environment: Mapping[str, str]) -> bool:
    return bool(environment.get(PREFIX + name.upper()))
