"""Telemetry: what operators see of the desk beside its journal. The bus, logs, traces and metrics."""
