"""The workers that train together: how they find each other, and what they do as one."""

from trainyard_trainer.training.gang.gang import Gang, peers_may_vanish

__all__ = ["Gang", "peers_may_vanish"]
