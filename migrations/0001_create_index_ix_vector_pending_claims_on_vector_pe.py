"""create index ix_vector_pending_claims on vector_pending

- create index ix_vector_pending_claims on vector_pending
"""

import sqlalchemy as sa
from alembic import op

revision = '0001_create_index_ix_vector_pending_claims_on_vector_pe'
down_revision = None
tables = (  # of all models, from this step on
    'cache_epochs',
    'idempotency_keys',
    'notes',
    'notification_counters',
    'notifications',
    'state_transitions',
    'tracked_events',
    'users',
    'vector_chunks',
    'vector_outbox',
    'vector_partitions',
    'vector_pending',
    'vector_sources',
)


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table('vector_pending') as batch_op:
        batch_op.create_index('ix_vector_pending_claims', ['attempts', 'chunk_id'], unique=False, sqlite_where=None, postgresql_where=None)


def downgrade() -> None:
    """Change them back."""
    with op.batch_alter_table('vector_pending') as batch_op:
        batch_op.drop_index('ix_vector_pending_claims', sqlite_where=None, postgresql_where=None)
