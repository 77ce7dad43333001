"""Tags and downloads of feature models"""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tag"),
        sa.UniqueConstraint("name", name="uq_tag_name"),
    )
    op.create_table(
        "feature_model_tag",
        sa.Column("feature_model_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feature_model_id"], ["feature_model.id"], name="fk_feature_model_tag_feature_model_id_feature_model"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name="fk_feature_model_tag_tag_id_tag"),
        sa.PrimaryKeyConstraint("feature_model_id", "tag_id", name="pk_feature_model_tag"),
    )
    op.create_table(
        "download",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feature_model_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("downloaded_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feature_model_id"], ["feature_model.id"], name="fk_download_feature_model_id_feature_model"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_download_user_id_user"),
        sa.PrimaryKeyConstraint("id", name="pk_download"),
    )


def downgrade():
    op.drop_table("download")
    op.drop_table("feature_model_tag")
    op.drop_table("tag")
