"""Users and their profiles"""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
    )
    op.create_index("ix_user_email", "user", ["email"], unique=True)
    op.create_table(
        "user_profile",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("surname", sa.String(100), nullable=False),
        sa.Column("affiliation", sa.String(100), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_user_profile_user_id_user"),
        sa.PrimaryKeyConstraint("id", name="pk_user_profile"),
        sa.UniqueConstraint("user_id", name="uq_user_profile_user_id"),
    )


def downgrade():
    op.drop_table("user_profile")
    op.drop_table("user")
