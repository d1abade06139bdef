"""Every error Timber raises.

TimberError
├── ConfigurationError(ValueError)           a setting cannot be used
│   └── FeatureUnavailableError              it needs something that is not there
├── DocumentError(ValueError)                a file is broken: file:line:col, all problems at once
│   └── ModelFileError                       … and it is a model file
├── ModelNotFoundError(LookupError)
├── NotOpenError(RuntimeError)               used before it was opened, or after it was closed
├── AlreadyOpenError(RuntimeError)           opened or configured twice
├── ServiceError                             a service did not do what was asked
│   ├── InvalidRequestError(ValueError)      an argument of it cannot be used
│   │   ├── UserNotFoundError(LookupError)
│   │   ├── SessionTypeError                 no model has it, or it cannot keep sessions
│   │   ├── RecordNotFoundError(LookupError) no such session, notification or event
│   │   ├── IdempotencyConflictError         the key was used for another request
│   │   └── InvalidStateTransitionError      the state machine forbids it
│   │       └── GuardError                   … as a condition of it does not hold
│   ├── EmbeddingError                       texts could not be turned into vectors
│   │   ├── UnfitVectorsError(ValueError)    the embedder gave others than it should
│   │   ├── EmbedderMismatchError(ValueError) its vectors do not fit those that are stored
│   │   ├── EmbedderRefusedError             the server that embeds will not do it
│   │   └── EmbedderUnavailableError         … does not answer now; it may later
│   └── BufferClosedError(RuntimeError)      an event came to a buffer that takes no more
├── CacheError                               a cache cannot do what was asked of it
│   ├── NotCachedError(ValueError)           it was asked about what has no cache
│   └── SharedCacheUnavailableError          Redis does not answer
├── ProtectionError                          protection of data would be broken, or is
│   ├── EncryptionError                      a value cannot be sealed or opened
│   │   ├── PlaintextRefusedError(ValueError) it cannot be sealed on this way to the database
│   │   ├── EncryptedColumnError(TypeError)  a query asks what cannot be known of sealed values
│   │   ├── TamperedError                    it is not what was sealed for this row and column
│   │   ├── UnknownKeyError(LookupError)     no keystore has its key
│   │   └── SubjectErasedError               whom it was about was erased
│   ├── KeystoreError                        keys cannot be read or kept
│   │   └── MasterKeyError(ValueError)       the master key is missing, wrong or unusable
│   ├── ErasureError                         an export or an erasure cannot go on; nothing is lost
│   └── AuditError                           the chain of what was done is broken
├── MigrationError                           a step cannot be planned, read or run
│   └── DataLossError                        it would destroy data, and nobody said that it may
└── DatabaseError                            the database did not do what was asked
    ├── ConstraintError(ValueError)          a rule of the tables forbids it
    │   ├── DuplicateError                   unique
    │   ├── MissingReferenceError            foreign key
    │   └── MissingValueError                not null
    ├── InvalidValueError(ValueError)        a value does not fit its column
    ├── UnknownColumnError(ValueError)       a row has a key that is no column of its table
    ├── SchemaMismatchError                  the tables are not those of the models
    ├── AccessDeniedError                    the user of the URL may not do this
    ├── ConflictError                        somebody else changed the row since it was read
    ├── HardDeleteError                      a row was to go for good, and nobody said so
    ├── ContentionError                      others were in the way; run the work again
    │   └── SerializationError               … and at once: `run` does so by itself
    ├── StatementTimeoutError                a statement took longer than it may
    └── DatabaseUnavailableError             out of reach, full, or damaged
        └── PoolExhaustedError               every connection of the pool is in use

A `DatabaseError` names constraints, tables and columns, but never a value that was stored.
"""

from collections.abc import Iterable, Sequence


class TimberError(Exception):
    """The root of every error of this package."""


class ConfigurationError(TimberError, ValueError):
    """A setting cannot be used."""


class FeatureUnavailableError(ConfigurationError):
    """Something was asked for that this installation cannot do."""

    def __init__(self, feature: str, *, cure: str) -> None:
        self.feature = feature
        super().__init__(f"{feature} is not available: {cure}")


class DocumentError(TimberError, ValueError):
    """Files are broken. `problems` holds one `file:line:col: what is wrong` each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class ModelFileError(DocumentError):
    """Model files are broken; nothing was opened. `problems` holds every problem found."""


class ModelNotFoundError(TimberError, LookupError):
    """No model has that name."""

    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        self.name = name
        listed = ", ".join(sorted(known)) or "none"
        super().__init__(f"no model {name!r}; there are: {listed}")


class NotOpenError(TimberError, RuntimeError):
    """Timber is not open: call `initialize_timber()` first, or use `Timber().opened(settings)`."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class AlreadyOpenError(TimberError, RuntimeError):
    """Timber is open with other settings: call `shutdown_timber()` (or `close()`) first."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class ServiceError(TimberError):
    """A service did not do what was asked of it; nothing of it was kept."""


class InvalidRequestError(ServiceError, ValueError):
    """An argument of a service cannot be used."""


class UserNotFoundError(InvalidRequestError, LookupError):
    """There is no such user, or it was deleted."""

    def __init__(self, user_id: object) -> None:
        self.user_id = user_id
        super().__init__(f"User not found: {user_id!r}; store the user first")


class SessionTypeError(InvalidRequestError):
    """No model has this `session_type`, or the model cannot keep sessions."""


class RecordNotFoundError(InvalidRequestError, LookupError):
    """There is no such session, notification or event, or it was deleted."""

    def __init__(self, kind: str, key: object) -> None:
        self.key = key
        super().__init__(f"{kind} not found: {key!r}; it was never stored, or it was deleted")


class IdempotencyConflictError(InvalidRequestError):
    """An idempotency key was used before, for another request."""

    def __init__(self, operation: str, key: str) -> None:
        self.key = key
        super().__init__(
            f"the idempotency key {key!r} was used for another {operation}: "
            "use a new key for a new request, and the same arguments with the same key"
        )


class InvalidStateTransitionError(InvalidRequestError):
    """The state machine of a session has no such transition."""

    def __init__(self, what: str, *, cure: str) -> None:
        super().__init__(f"Invalid state transition: {what}; {cure}")


class GuardError(InvalidStateTransitionError):
    """A condition that guards a transition does not hold."""


class BufferClosedError(ServiceError, RuntimeError):
    """An event came to a buffer that is closed: nothing of it was stored."""

    def __init__(self) -> None:
        super().__init__("the buffer is closed: open another with `tracker_service.buffered()`")


class EmbeddingError(ServiceError):
    """Texts could not be turned into vectors."""


class UnfitVectorsError(EmbeddingError, ValueError):
    """An embedder gave too few vectors, or too many, or some that cannot be compared."""


class EmbedderMismatchError(EmbeddingError, ValueError):
    """The vectors that are stored were made by another embedder; none of them was touched."""

    def __init__(self, source_type: str, *, stored: str, given: str) -> None:
        self.source_type = source_type
        super().__init__(
            f"the vectors of {source_type!r} were made by {stored}, and the embedder is {given}: "
            f"use the former again, or run `timber vectors reembed {source_type}`, while which "
            "the old vectors answer"
        )


class EmbedderRefusedError(EmbeddingError):
    """The server that embeds will not do it: for the key, the model, or the texts."""


class EmbedderUnavailableError(EmbeddingError):
    """The server that embeds does not answer now; the same call may work later."""


class CacheError(TimberError):
    """A cache cannot do what was asked of it. Reading rows never raises it."""


class NotCachedError(CacheError, ValueError):
    """A model, or what a query reads, has no cache."""


class SharedCacheUnavailableError(CacheError):
    """The shared cache does not answer; rows are read from the database meanwhile."""


class ProtectionError(TimberError):
    """The protection of data would be broken by what was asked, or was broken by somebody."""


class EncryptionError(ProtectionError):
    """A value cannot be sealed, or cannot be opened. No text of it holds the value."""


class PlaintextRefusedError(EncryptionError, ValueError):
    """A value was to be written on a way on which it cannot be sealed; nothing was written."""


class EncryptedColumnError(EncryptionError, TypeError):
    """A query asks of sealed values what nobody can know without opening them."""


class TamperedError(EncryptionError):
    """What is stored was not sealed for this row and column, or not as it is now."""


class UnknownKeyError(EncryptionError, LookupError):
    """The keystore does not have the key of a sealed value."""


class SubjectErasedError(EncryptionError):
    """Whom a value is about was erased: nobody can open it, and nothing new is sealed."""


class KeystoreError(ProtectionError):
    """Keys cannot be read, or cannot be kept."""


class MasterKeyError(KeystoreError, ValueError):
    """The master key is missing, is another one, or cannot be used."""


class ErasureError(ProtectionError):
    """An export or an erasure cannot go on as things are; nothing is lost, and it can go on."""


class AuditError(ProtectionError):
    """The chain of what was done is broken, or cannot be continued."""


class MigrationError(TimberError):
    """A migration cannot be planned, read or run; the database is as it was."""


class DataLossError(MigrationError):
    """A step would destroy data; `losses` says what and how many rows. Nothing was changed."""

    def __init__(self, step: str, losses: Sequence[str]) -> None:
        self.step = step
        self.losses = tuple(losses)
        listed = "".join(f"\n  - {loss}" for loss in losses)
        super().__init__(
            f"{step} would destroy data:{listed}\n"
            "Nothing was changed. If that is what you want, say --allow-data-loss."
        )


class DatabaseError(TimberError):
    """The database did not do what was asked; `code` is its own name for the reason."""

    cure = "see `code` and the database's own log"

    def __init__(self, what: str, *, code: str = "") -> None:
        self.what = what
        self.code = code
        named = f" [{code}]" if code else ""
        super().__init__(f"{what}{named}: {self.cure}")


class ConstraintError(DatabaseError, ValueError):
    """A rule of the tables forbids the change; nothing of the transaction was kept."""

    cure = "give values that the rule allows"


class DuplicateError(ConstraintError):
    """Another row has the value already, where it must be unique."""

    cure = "use another value, or change the row that has it"


class MissingReferenceError(ConstraintError):
    """A foreign key points to no row, or a row that others point to was to go."""

    cure = "store the row it points to first; delete the rows that point to it first"


class MissingValueError(ConstraintError):
    """A column that must have a value got none."""

    cure = "give the column a value, or a default in the model file"


class InvalidValueError(DatabaseError, ValueError):
    """A value does not fit the type or the length of its column."""

    cure = "give a value of the column's type, within its length"


class UnknownColumnError(DatabaseError, ValueError):
    """A row has a key that is no column of its table."""

    cure = "use the names of the model's columns"


class SchemaMismatchError(DatabaseError):
    """The tables of the database are not those of the models."""

    cure = (
        "where they differ, run `timber migrate plan`; where they are missing, "
        "open with `create_tables=True`, or run `timber migrate apply` if you migrate already"
    )


class AccessDeniedError(DatabaseError):
    """The user that `database_url` names may not do this."""

    cure = "grant the user of `database_url` the right, or name another user"


class ConflictError(DatabaseError):
    """The row was changed or deleted by somebody else since it was read; nothing was kept."""

    cure = "read the row again, and change it as it is now"


class HardDeleteError(DatabaseError):
    """A row of a model with soft deletion was to be deleted for good, and nobody said so."""

    cure = "delete it with `session.hard_delete(row)`"


class AliasedWriteError(DatabaseError):
    """An alias of a model with soft deletion was to be updated or deleted; nothing was written."""

    cure = "name the model itself in `update()` or `delete()`"


class ContentionError(DatabaseError):
    """Other transactions were in the way; nothing of this one was kept."""

    cure = "run the whole transaction again"


class SerializationError(ContentionError):
    """Transactions at the same time relied on each other's rows, or waited for each other."""

    cure = "run the whole transaction again, as `db_service.run(work)` does by itself"


class StatementTimeoutError(DatabaseError):
    """A statement took longer than it may; nothing of the transaction was kept."""

    cure = "make the statement cheaper, or raise `statement_timeout_seconds`"


class DatabaseUnavailableError(DatabaseError):
    """The database cannot be reached, written or read."""

    cure = "check `database_url`, the server or file behind it, and the free space"


class PoolExhaustedError(DatabaseUnavailableError):
    """Every connection of the pool is in use, and none came back in time."""

    cure = "keep transactions short, or raise `pool_size` or `pool_overflow`"
