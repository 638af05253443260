"""Learning rates that change: a step's rate follows from its number alone.

reduce_on_plateau is the one that follows from what was measured. Its memory is a variable beside
the optimizer's, so that every checkpoint has it and a restart goes on with the same rate.
"""

from trainyard_trainer.training.optimizers.schedules.choice import (
    Span,
    build,
    check,
    check_length,
    monitored,
    plateau_of,
)

__all__ = ["Span", "build", "check", "check_length", "monitored", "plateau_of"]
