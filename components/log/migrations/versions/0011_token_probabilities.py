"""How likely an answer was: numbers over the probabilities of its tokens.

Earlier runs have none; their requests could ask for probabilities, but nothing read them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    for name in ("mean_logprob", "perplexity", "lowest_probability", "mean_entropy"):
        op.add_column("runs", sa.Column(name, sa.Double))
