"""Drift of tables by evidently: how far each column lies from the reference, and a page that shows it."""

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import polars as pl

from strata.errors import SettingsError

INSTALL = 'python -m pip install -c requirements.lock -e ".[monitor]"'


def drift_report(
    reference: pl.DataFrame, current: pl.DataFrame, kinds: Sequence[str], limit: float, page: Path
) -> dict[str, float]:
    """Write the page; returns the distance of each column that both tables have.

    Jensen-Shannon's of columns of words, Wasserstein's in standard deviations of the reference of numbers. Raises
    SettingsError where evidently is not installed.
    """
    evidently, metrics = _evidently()
    columns = [name for name in reference.columns if name in current.columns]
    words = [name for name in columns if name in kinds]
    described = evidently.DataDefinition(
        categorical_columns=words, numerical_columns=[name for name in columns if name not in words]
    )
    tables = [
        evidently.Dataset.from_pandas(table.select(columns).to_pandas(), data_definition=described)
        for table in (current, reference)
    ]
    asked = [
        metrics.ValueDrift(column=name, method="jensenshannon" if name in words else "wasserstein", threshold=limit)
        for name in columns
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses what NumPy and pandas deprecate
        found = evidently.Report(asked).run(*tables)
        page.parent.mkdir(parents=True, exist_ok=True)
        found.save_html(str(page))
    values = [float(metric["value"]) for metric in found.dict()["metrics"]]
    return dict(zip(columns, values, strict=True))


def _evidently() -> tuple[ModuleType, ModuleType]:
    """Evidently and its metrics; both take seconds to import.

    Evidently 0.7 imports a function for a test of its own that pandas has dropped with 3.1, so it gets one.
    """
    import pandas.core.dtypes.common as types

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not hasattr(types, "infer_dtype_from_object"):
            types.infer_dtype_from_object = types.pandas_dtype
        try:
            return importlib.import_module("evidently"), importlib.import_module("evidently.metrics")
        except ModuleNotFoundError as error:
            raise SettingsError(f"the monitor needs evidently ({error}); install it: {INSTALL}") from None
