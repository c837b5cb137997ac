"""Settings of ami_ingest, from AMI_INGEST_… in the environment."""

import socket

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from legbook.runtime.settings import AmiSettings


class Settings(AmiSettings):
    """Seconds and bytes."""

    model_config = SettingsConfigDict(**{**AmiSettings.model_config, "env_prefix": "AMI_INGEST_"})

    instance: str | None = Field(
        None,
        description="Static name of this worker slot, unique among live processes: a restart then moves nothing.",
    )
    buffer_bytes: int = Field(
        64 << 20,
        ge=1 << 20,
        description="Held in memory for each PBX while Kafka is away; what is over is shed.",
    )
    snapshot_interval: float = Field(
        300.0, ge=10, description="Between two lists of the live channels; a fifth more or less by chance."
    )

    @property
    def worker(self) -> str:
        """For people, in owner records."""
        return self.instance or socket.gethostname()
