"""Settings of cdr_archiver, from CDR_ARCHIVER_… in the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from legbook.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Sizes and seconds of a batch."""

    model_config = SettingsConfigDict(**{**ServiceSettings.model_config, "env_prefix": "CDR_ARCHIVER_"})

    group: str = Field(
        "cdr_archiver",
        min_length=1,
        description="Kafka consumer group. A new name reads the whole topic again: that rebuilds the archive.",
    )
    instance: str | None = Field(
        None, description="Stable name of this worker slot: after a kill it goes on at once, not after 10 s."
    )
    batch_legs: int = Field(10_000, ge=1, description="Legs in one insert, at most.")
    batch_seconds: float = Field(1.0, gt=0, description="How long a leg waits for others, at most.")
    retry_most: float = Field(
        15.0, gt=0, description="Longest wait between two tries while ClickHouse is away."
    )
