"""Rules for one agent, on a version of a release."""

from alembic import op

revision = "0027"
down_revision = "0026"

_VALID = "(valid * '(,)'::tstzrange) WITH &&"
_OPEN = "upper_inf(known)"


def _policies(keys: str, where: str) -> str:
    return f"EXCLUDE USING gist ({keys}, {_VALID}) WHERE ({where})"


def upgrade() -> None:
    """A policy may speak to one agent alone; there is one of each at a time."""
    everybody = _policies("level WITH =, uuid_send(subject_id) WITH =", f"{_OPEN} AND agent_id IS NULL")
    one_agent = _policies(
        "uuid_send(subject_id) WITH =, uuid_send(agent_id) WITH =", f"{_OPEN} AND agent_id IS NOT NULL"
    )
    op.execute(f"""
        ALTER TABLE policy
            ADD COLUMN agent_id uuid CONSTRAINT policy_agent_id_fkey REFERENCES artist (id),
            ADD CONSTRAINT policy_agent_check CHECK ((level = 'AGENT_RULE') = (agent_id IS NOT NULL)),
            DROP CONSTRAINT policy_one_open_row,
            ADD CONSTRAINT policy_one_open_row {everybody},
            ADD CONSTRAINT policy_one_open_rule {one_agent}
    """)


def downgrade() -> None:
    """Forget the rules: at what they said the version, the release or the artist speaks again."""
    op.execute("DELETE FROM policy WHERE agent_id IS NOT NULL")
    op.execute(f"""
        ALTER TABLE policy
            DROP CONSTRAINT policy_one_open_rule,
            DROP CONSTRAINT policy_one_open_row,
            DROP COLUMN agent_id,
            ADD CONSTRAINT policy_one_open_row {_policies("level WITH =, uuid_send(subject_id) WITH =", _OPEN)}
    """)
