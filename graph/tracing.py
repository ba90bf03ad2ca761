"""Spans of OpenTelemetry: of an operation, its plan and its statement; never of a field.

The process that starts us says where spans go (`opentelemetry-instrument`, or a provider set before the application is
built). Where nobody listens, a span costs next to nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace

_NOTHING: AbstractContextManager[object] = nullcontext()


class Tracing:
    """Makes spans for whoever listens when it is made."""

    def __init__(self) -> None:
        """Look once whether anybody does."""
        listens = not isinstance(trace.get_tracer_provider(), (trace.ProxyTracerProvider, trace.NoOpTracerProvider))
        self._tracer = trace.get_tracer("casset") if listens else None

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        """A span around a block, a child of the one around it."""
        if self._tracer is None:
            return _NOTHING
        named = {key.replace("__", "."): value for key, value in attributes.items()}
        return self._tracer.start_as_current_span(name, attributes=named)
