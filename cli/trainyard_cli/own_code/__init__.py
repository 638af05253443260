"""A folder of Python code, packed for a job."""

from trainyard_cli.own_code.config_map import build_config_map, with_owner
from trainyard_cli.own_code.packing import Packed, pack

__all__ = ["Packed", "build_config_map", "pack", "with_owner"]
