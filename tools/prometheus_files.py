"""Write the generated files of `deploy/prometheus` again: `PYTHONPATH=src python tools/prometheus_files.py`."""

from pathlib import Path

from tradeworthy.operations.incidents.policy import AlertPolicy
from tradeworthy.operations.incidents.prometheus_files import files_of
from tradeworthy.operations.incidents.prometheus_table import PrometheusPolicy

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "prometheus"

if __name__ == "__main__":
    for name, text in files_of(PrometheusPolicy(), AlertPolicy()).items():
        (FOLDER / name).write_text(text)
