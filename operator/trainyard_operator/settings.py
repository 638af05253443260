"""What an installation of the operator can set, by environment variables."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_WORKERS = 1000
"""Of one job, as the CRD has it."""


class Settings(BaseSettings):
    """Settings of the operator; each is the environment variable TRAINYARD_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="TRAINYARD_", frozen=True)

    trainer_image: str = Field(
        default="trainyard/trainer:latest", description="Image of trainer and compression pods."
    )
    serving_image: str = Field(
        default="trainyard/serving:latest", description="Image of serving pods."
    )
    image_pull_policy: str = Field(default="IfNotPresent", description="Of all pods.")
    storage_uri: str = Field(
        default="pvc://trainyard-artifacts", description="Store of jobs that name none."
    )
    watch_namespace: str = Field(default="", description="Namespace to watch; empty: all.")
    backoff_seconds: float = Field(
        default=10.0,
        description="Wait before the second restart after the program failed; the "
        "first comes at once, and each further one waits twice as long.",
    )
    backoff_limit_seconds: float = Field(default=360.0, description="Longest such wait.")
    progress_seconds: float = Field(
        default=5.0, description="Time between two looks at a job's live progress."
    )
    resync_seconds: float = Field(
        default=1800.0, description="Time after which a job is looked at without any news of it."
    )
    lease_namespace: str = Field(
        default="",
        description="Namespace of the Lease by which one of several operators acts; empty: this "
        "one acts always, and has to be the only one.",
    )
    lease_name: str = Field(default="trainyard-operator", description="Name of that Lease.")
    metrics_port: int = Field(default=8082, description="Port of metrics and health.")
    service_host: str = Field(
        default="{service}.{namespace}.svc", description="Host name of a Service, in URLs."
    )
    host_ports: str = Field(
        default="20000-29999",
        pattern=r"^[0-9]{4,5}-[0-9]{4,5}$",
        description="Ports of nodes, FIRST-LAST, that workers with hostNetwork get theirs from.",
    )
    log_format: str = Field(default="json", description="json or text.")

    @field_validator("host_ports")
    @classmethod
    def _enough_ports(cls, value: str) -> str:
        first, last = (int(port) for port in value.split("-"))
        if not 1024 <= first <= last - 2 * MAX_WORKERS < last <= 65535:
            raise ValueError(
                f"FIRST-LAST between 1024 and 65535, with {2 * MAX_WORKERS} ports or more: "
                "a gang has two for each worker"
            )
        return value

    def service_url(self, service: str, namespace: str, port: int) -> str:
        """URL of a Service, for those who are to call it."""
        return f"http://{self.service_host.format(service=service, namespace=namespace)}:{port}"
