"""Assessments: one file turns facts into findings under a typed policy; `framework/` owns everything they share."""
