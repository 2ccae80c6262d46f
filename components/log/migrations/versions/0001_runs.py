"""The table of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("heartbeat_at", sa.String(27), nullable=False),
        sa.Column("finished_at", sa.String(27)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("error_kind", sa.String(32)),
        sa.Column("error_message", sa.Text),
        sa.Column("raw_error", sa.Text),
        sa.Column("http_status", sa.BigInteger),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("dialect", sa.String(16), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("request_body", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reasoning", sa.Text, nullable=False),
        sa.Column("finish_reason", sa.Text),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("completion_tokens", sa.BigInteger),
        sa.Column("total_tokens", sa.BigInteger),
        sa.Column("first_byte_ms", sa.Double),
        sa.Column("first_event_ms", sa.Double),
        sa.Column("reasoning_ms", sa.Double),
        sa.Column("ttft_ms", sa.Double),
        sa.Column("waited_ms", sa.Double),
        sa.Column("total_ms", sa.Double),
        sa.Column("tokens_per_second", sa.Double),
        sa.Column("chunk_count", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.Column("retries", sa.Text, nullable=False),
        sa.Column("tool_calls", sa.Text, nullable=False),
        sa.Column("app_version", sa.String(32), nullable=False),
    )
    op.create_index("runs_newest_first", "runs", ["created_at", "id"])
