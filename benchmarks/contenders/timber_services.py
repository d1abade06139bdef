"""The services of Timber."""

import contextlib
from collections.abc import Iterator

from benchmarks.contenders import service_work
from benchmarks.harness.stage import Stage, Trial

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


@contextlib.contextmanager
def rounds(stage: Stage) -> Iterator[Trial]:
    """Do rounds by the services."""
    stage.folder.joinpath("jobs.yaml").write_text(service_work.MODEL, encoding="utf-8")
    settings = TimberSettings(
        database_url=stage.database_url, model_config_dirs=(stage.folder,), packaged_models=False
    )
    with Timber().opened(settings) as timber:
        user = service_work.USER
        with timber.database.session_scope() as session:
            session.add(timber.models.get("User")(user_id=user, email="a@x", username=user))
        services = timber.persistence

        def work() -> None:
            for number in range(stage.size):
                key = services.sessions.create_session("job", user, title=f"Job {number}")
                services.sessions.update_session_data(key, "job", service_work.PATCH)
                services.sessions.transition_state(key, "job", "busy")
                services.sessions.get_session(key, "job")
                services.create_notification(user, "info", "Title", "Text", {"job": key})
                services.track_event(user, "job", {"job": key})

        yield Trial(work=work, check=lambda: service_work.stored(stage.database_url))
