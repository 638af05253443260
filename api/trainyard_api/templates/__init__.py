"""What a pod template must not do.

A template is laid over the pods that Trainyard builds: it adds to them, and it must not take
from them what makes them safe (`security`), what the operator steers them by (`grip`), or stand
for a program that would never train (`program`).
"""

from trainyard_api.templates.check import find_template_problems
from trainyard_api.templates.grip import OWNED

__all__ = ["OWNED", "find_template_problems"]
