"""The report of a run as one offline HTML file."""

from tradeworthy.research.backtest.report.html import Overlay as Overlay
from tradeworthy.research.backtest.report.html import render_html as render_html
from tradeworthy.research.backtest.report.html import source_hash as source_hash
from tradeworthy.research.backtest.report.html import style_sheet as style_sheet
