"""What a problem is: all of the trainer that depends on what is to be learned.

A task knows its model's head, its loss, what is counted beside the loss, its metrics and which of
them is the main one. The loop, the engine and the stages know none of that: a new task is a new
module here and a line in `task_of`.
"""

from trainyard_trainer.tasks.choice import task_for, task_of
from trainyard_trainer.tasks.task import Task

__all__ = ["Task", "task_for", "task_of"]
