"""Code of the job's author: where it comes from, and what it may do wrong."""

from trainyard_trainer.own_code.entry_point import EntryPoint, is_entry_point
from trainyard_trainer.own_code.fetching import bring
from trainyard_trainer.own_code.limit import within_reason

__all__ = ["EntryPoint", "bring", "is_entry_point", "within_reason"]
