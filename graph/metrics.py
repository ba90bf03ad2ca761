"""What is counted of the read engine, in the form Prometheus reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter


@dataclass(slots=True)
class Metrics:
    """What is counted of the read engine."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    planned: Counter = field(init=False)
    filled: Counter = field(init=False)
    referred: Counter = field(init=False)
    refusals: Counter = field(init=False)
    retries: Counter = field(init=False)
    events: Counter = field(init=False)
    made: Counter = field(init=False)

    def __post_init__(self) -> None:
        """Register the counters."""
        operations = Counter("casset_operations", "Operations answered.", ["tier"], registry=self.registry)
        self.planned, self.referred = operations.labels("plan"), operations.labels("reference")
        self.refusals = Counter("casset_plan_refusals", "Plans refused.", ["reason"], registry=self.registry)
        self.retries = Counter("casset_plan_retries", "Plans run again by the reference.", registry=self.registry)
        self.filled = Counter("casset_plans_filled", "Plans whose computed fields were filled.", registry=self.registry)
        self.events = Counter("casset_events", "Subscription events answered.", registry=self.registry)
        self.made = Counter("casset_events_made", "Answers made for them; many may share one.", registry=self.registry)
