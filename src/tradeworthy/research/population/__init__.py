"""Many strategies over one history at once, compiled; needs the `research` extra."""

from tradeworthy.research.population.ema_cross import PopulationResult as PopulationResult
from tradeworthy.research.population.ema_cross import ema_cross_population as ema_cross_population
