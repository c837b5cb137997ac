"""Settings of command_gateway, from COMMAND_GATEWAY_… in the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from legbook.runtime.settings import AmiSettings


class Settings(AmiSettings):
    """Seconds and counts."""

    model_config = SettingsConfigDict(**{**AmiSettings.model_config, "env_prefix": "COMMAND_GATEWAY_"})

    instance: str | None = Field(
        None,
        description="Static name of this worker slot, unique among live processes: a restart then moves nothing.",
    )
    queue: int = Field(
        100, ge=1, description="Commands of one PBX that may be under way; what is over is rejected as busy."
    )
    confirm: float = Field(
        5.0, gt=0, description="How long a PBX has to answer an action and to show its effect."
    )
    stale: float = Field(
        10.0, gt=0, description="Legs known this late or later are no ground for a command: pbx_stale."
    )
