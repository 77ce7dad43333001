"""Numbers of features and constraints, kept beside the text"""

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None


def upgrade():
    # The default serves the rows that exist; new ones always bring their numbers.
    for column in ("features", "constraints"):
        op.add_column("feature_model", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
        op.alter_column("feature_model", column, existing_type=sa.Integer(), existing_nullable=False, server_default=None)


def downgrade():
    op.drop_column("feature_model", "constraints")
    op.drop_column("feature_model", "features")
