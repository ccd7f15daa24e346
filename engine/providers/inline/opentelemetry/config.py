"""What a run config can say of telemetry: where it goes, and how long it may take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConsoleExporter(_Config):
    """Writes one JSON object a line to the terminal."""

    type: Literal["console"]
    stream: Literal["stderr", "stdout"] = "stderr"


class FileExporter(_Config):
    """Appends one JSON object a line to a file."""

    type: Literal["file"]
    path: str = Field(min_length=1)


class OtlpExporter(_Config):
    """Sends to a collector, as OTLP over HTTP."""

    type: Literal["otlp"]
    endpoint: str = Field(
        default="http://localhost:4318",
        description="The collector; 'v1/traces', 'v1/logs' and 'v1/metrics' are added.",
    )
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    timeout: float = Field(
        default=2.5,
        gt=0,
        description="Seconds a request may take, retries included; half of flush_timeout at most.",
    )
    compression: Literal["none", "gzip"] = "none"

    @field_validator("endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str) -> str:
        base = endpoint.rstrip("/")
        if not base.startswith(("http://", "https://")) or "/v1/" in f"{base}/":
            msg = "expected a URL such as 'http://localhost:4318', without 'v1/traces'"
            raise ValueError(msg)
        return base


Exporter = Annotated[ConsoleExporter | FileExporter | OtlpExporter, Field(discriminator="type")]


class OpenTelemetryConfig(_Config):
    """The config of ``inline::opentelemetry``."""

    service_name: str = Field(default="rungraph", min_length=1)
    resource_attributes: dict[str, str] = Field(
        default_factory=dict, description="What else is said of the process with everything sent."
    )
    exporters: tuple[Exporter, ...] = Field(
        default=(), description="Where telemetry goes; with none, traces can still be asked for."
    )
    max_traces: int = Field(
        default=1000, gt=0, description="How many traces can be asked for, the newest."
    )
    queue_size: int = Field(
        default=8192, ge=512, description="What waits for an exporter; the oldest is dropped."
    )
    flush_interval: float = Field(
        default=1.0, gt=0, description="Seconds between two exports of spans and logs."
    )
    metric_interval: float = Field(
        default=10.0, gt=0, description="Seconds between two exports of metrics."
    )
    flush_timeout: float = Field(
        default=5.0, gt=0, description="Seconds that the last export may take when a stack stops."
    )
