"""`python -m tradeworthy` is the command line."""

from tradeworthy.cli.main import main

main()
