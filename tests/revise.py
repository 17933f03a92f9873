"""``python -m tests.revise "add a note to uploads"``: write the next step of the centre's database.

Compares what the steps make of an empty database with ``sync.central.tables`` and writes the
difference as a new file in ``sync/central/migrations/versions``, to be read before it is
committed. ``--baseline`` writes the first step anew instead: only while nothing is deployed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import Script, ScriptDirectory
from sqlalchemy import create_engine

from sync.central import migrations

VERSIONS = Path(migrations.__file__).parent / "versions"


def main() -> None:
    """Write one step."""
    parser = argparse.ArgumentParser(prog="python -m tests.revise", description=__doc__)
    parser.add_argument("message", nargs="?", help="what changes, as a sentence")
    parser.add_argument("--baseline", action="store_true", help="write the first step anew")
    arguments = parser.parse_args()
    if arguments.baseline:
        for step in VERSIONS.glob("v*.py"):
            step.unlink()
    elif not arguments.message:
        parser.error("say what changes")
    with (
        tempfile.TemporaryDirectory() as folder,
        create_engine(f"sqlite:///{folder}/centre.db").connect() as connection,
    ):
        config = migrations.config_for(connection)
        # The templates of the steps use the names of this project's style.
        config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
        command.upgrade(config, "head")
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        message = "What the first release holds" if arguments.baseline else arguments.message
        written = command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
    assert isinstance(written, Script)
    path = Path(written.path)
    path.write_text(re.sub(r"^ +# ### .*\n", "", path.read_text("utf-8"), flags=re.M), "utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", path], check=True)


if __name__ == "__main__":
    main()
