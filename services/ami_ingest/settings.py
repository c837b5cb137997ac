"""Settings of ami_ingest, from AMI_INGEST_… in the environment."""

import socket

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from legbook.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Seconds and bytes."""

    model_config = SettingsConfigDict(**{**ServiceSettings.model_config, "env_prefix": "AMI_INGEST_"})

    worker: str = Field(default_factory=socket.gethostname, description="Stable name of this worker.")
    buffer_bytes: int = Field(
        64 << 20,
        ge=1 << 20,
        description="Held in memory for each PBX while Kafka is away; what is over is shed.",
    )
    ping_interval: float = Field(5.0, gt=0, description="Between two pings.")
    silence: float = Field(15.0, gt=0, description="A link without a byte for this long is cut.")
    backoff_first: float = Field(
        0.5, gt=0, description="First wait after a failed connection; doubles, with jitter."
    )
    backoff_most: float = Field(30.0, gt=0, description="Longest wait between two connections.")
