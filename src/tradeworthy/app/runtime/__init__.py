"""The supervised process around a desk: workloads, their services, the start, the end, and what is told of both."""
