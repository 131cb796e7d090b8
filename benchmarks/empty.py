"""A service that does nothing: what BentoML itself costs on this machine."""

import bentoml


@bentoml.service(name="empty")
class Empty:
    """One endpoint that answers at once."""

    @bentoml.api
    async def nothing(self) -> str:
        """Answer."""
        return ""
