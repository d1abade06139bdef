"""ONNX Runtime, loaded so that it tells nobody."""

import os
from typing import Any, Final

from timber.common.vector.numerics import needed

_SILENCE: Final = "ORT_DISABLE_TELEMETRY"
"""Read when it is loaded. Without it, 1.31 gives the machine a number, keeps a database of events
in the user's cache, and sends them to its maker."""


def onnx_runtime(*, feature: str) -> Any:
    """Return the module, which then keeps nothing of its own and reports nothing.

    Who wants its telemetry sets `ORT_DISABLE_TELEMETRY=0`. Where somebody else has loaded it
    before, what it keeps is there already, and it is told to report no more.

    Raises:
        FeatureUnavailableError: it is not installed.

    """
    wanted = os.environ.setdefault(_SILENCE, "1") == "0"
    runtime = needed("onnxruntime", feature=feature, extra="vectors")
    if not wanted:
        runtime.disable_telemetry_events()
    return runtime
