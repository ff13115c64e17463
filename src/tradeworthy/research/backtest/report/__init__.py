"""The report of a run as one offline HTML file."""

from tradeworthy.research.backtest.report.html import Overlay as Overlay
from tradeworthy.research.backtest.report.html import render_html as render_html
