"""ONNX Runtime, loaded so that it tells nobody."""

import os
from typing import Any

from timber.common.vector.numerics import needed


def onnx_runtime(*, feature: str) -> Any:
    """Return the module, which keeps nothing of its own and reports nothing.

    As it is, 1.31 gives the machine a number when it is loaded, keeps a database of events in the
    user's cache, and sends them to its maker. Where somebody has loaded it before, it is told to
    send no more.

    Raises:
        FeatureUnavailableError: it is not installed.

    """
    os.putenv("ORT_DISABLE_TELEMETRY", "1")
    runtime = needed("onnxruntime", feature=feature, extra="vectors")
    runtime.disable_telemetry_events()
    return runtime
