"""Settings of curcdr_projector, from CURCDR_PROJECTOR_… in the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from legbook.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Seconds and bytes."""

    model_config = SettingsConfigDict(**{**ServiceSettings.model_config, "env_prefix": "CURCDR_PROJECTOR_"})

    instance: str | None = Field(
        None, description="Stable name of this worker slot: a restart then moves nothing."
    )
    interval: float = Field(0.1, gt=0, description="Between two transactions of a partition.")
    checkpoint_interval: float = Field(5.0, gt=0, description="Between two checkpoints of a partition.")
    checkpoint_entries: int = Field(
        50_000,
        ge=1,
        description="Or after so many entries, or when all partitions together reach half of UNACKED_BYTES.",
    )
    stall: float = Field(60.0, gt=0, description="A transaction that hangs for this long ends the process.")
    unacked_bytes: int = Field(
        64 << 20,
        ge=1 << 20,
        description="Folded and not yet covered by a checkpoint, of all partitions of a worker: about the most.",
    )
    flush_interval: float = Field(
        0.01, gt=0, description="Between two writes to MySQL; the first one after silence does not wait."
    )
    check_interval: float = Field(
        1.0, gt=0, description="Between two comparisons of curcdr with the live legs."
    )
