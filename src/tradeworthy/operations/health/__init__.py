"""Is the desk fit to trade now: cached facts, one judgement, one report (HLT-01 to HLT-07)."""
